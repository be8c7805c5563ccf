"""AppSpecs, wherever and however a revision keeps them."""

import io
import json
import tarfile
import zipfile

import pytest
import yaml
from support.world import APPSPEC, TASK_DEFINITION, World, body

from hookgate.aws.appspec import parse_appspec
from hookgate.aws.revision import fetch_appspec
from hookgate.errors import CannotMeasure

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(9)
)
JSON = json.dumps(yaml.safe_load(APPSPEC))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(APPSPEC, id="yaml"),
        pytest.param(JSON, id="json"),
        pytest.param(JSON.replace("Resources", "resources"), id="lower-case"),
        pytest.param(JSON.replace('"version": 0.0', '"version": "0.0"'), id="text"),
    ],
)
def test_forms(content):
    """YAML, JSON and any case of the keys say the same."""
    appspec = parse_appspec(content)

    assert (TASK_DEFINITION, "web", 8080) == (
        appspec.task_definition,
        appspec.container_name,
        appspec.container_port,
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("{", "not YAML or JSON", id="syntax"),
        pytest.param("Resources: []", "does not describe", id="no-resource"),
        pytest.param("- 1", "does not describe", id="list"),
        pytest.param("", "does not describe", id="empty"),
        pytest.param("x" * 300_000, "larger than 256 KiB", id="large"),
        pytest.param(BOMB, "more than 10000 nodes", id="aliases"),
    ],
)
def test_refused(content, reason):
    """What is no AppSpec of an ECS service is refused with its reason."""
    with pytest.raises(CannotMeasure, match=reason):
        parse_appspec(content)


def bundle(kind: str) -> bytes:
    """An AppSpec in a revision bundle."""
    out = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("appspec.yaml", APPSPEC)
    else:
        with tarfile.open(
            fileobj=out, mode="w:gz" if kind == "tgz" else "w"
        ) as archive:
            info = tarfile.TarInfo("./appspec.yaml")
            info.size = len(APPSPEC)
            archive.addfile(info, io.BytesIO(APPSPEC.encode()))
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("YAML", APPSPEC.encode()),
        ("JSON", JSON.encode()),
        ("zip", bundle("zip")),
        ("tar", bundle("tar")),
        ("tgz", bundle("tgz")),
    ],
)
def test_s3(kind, content):
    """A revision in S3 is read in each of its bundle types."""
    world = World()
    world.answers["s3", "get_object"] = body(content)
    location = {"bucket": "b", "key": "k", "bundleType": kind}
    revision = {"revisionType": "S3", "s3Location": location}

    assert fetch_appspec(world, "app", revision).container_name == "web"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"no zip", "is no zip", id="corrupt"),
        pytest.param(b"\0" * (11 * 2**20), "larger than 10 MiB", id="large"),
    ],
)
def test_s3_refused(content, reason):
    """A bundle that cannot be read is refused with its reason."""
    world = World()
    world.answers["s3", "get_object"] = body(content)
    location = {"bucket": "b", "key": "k", "bundleType": "zip"}

    with pytest.raises(CannotMeasure, match=reason):
        fetch_appspec(world, "app", {"revisionType": "S3", "s3Location": location})


def test_github():
    """A revision type that no ECS deployment has is refused."""
    with pytest.raises(CannotMeasure, match="type GitHub cannot be read"):
        fetch_appspec(World(), "app", {"revisionType": "GitHub"})


def test_content_withheld():
    """An answer without the content is an error, not an empty AppSpec."""
    world = World()
    world.content = ""

    with pytest.raises(CannotMeasure, match="without its AppSpec"):
        fetch_appspec(world, "app", world.deployment["revision"])
