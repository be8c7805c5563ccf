"""AppSpecs, wherever and however a revision keeps them."""

import io
import json
import tarfile
import zipfile
from time import process_time

import pytest
import yaml
from botocore.response import StreamingBody
from support.coded import raises
from support.world import APPSPEC, TASK_DEFINITION, World, body

from hookgate.aws.appspec import fetch_appspec, parse_appspec
from hookgate.codes import Code
from hookgate.errors import CannotMeasure

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(9)
)
MERGES = "a0: &a0 {k: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: *a{n - 1}, x{n}: *a{n - 1}, y{n}: *a{n - 1}}}\n"
    for n in range(1, 20)
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
    ("content", "value"),
    [
        pytest.param("{", "AppSpec:2:1", id="syntax"),
        pytest.param("Resources: []", "Resources", id="no-resource"),
        pytest.param("- 1", "version: 0.0", id="list"),
        pytest.param("", "version: 0.0", id="empty"),
        pytest.param("x" * 300_000, "262144", id="large"),
        pytest.param(BOMB, "10000", id="aliases"),
        pytest.param(MERGES, "10000", id="merge-keys"),
    ],
)
def test_refused(content, value):
    """What is not an AppSpec of an ECS service is refused at once."""
    start = process_time()
    with raises(CannotMeasure, Code.APPSPEC_UNREADABLE, value):
        parse_appspec(content)
    assert process_time() - start < 5


def test_aliases_are_read():
    """CodeDeploy has accepted the file, so its aliases and merge keys are read."""
    content = "x: &x {ContainerName: web}" + APPSPEC.replace(
        "ContainerName: web", "<<: *x"
    )
    assert "web" == parse_appspec(content).container_name


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


def with_bits(content: bytes, *changes: tuple[bytes, int, int]) -> bytes:
    """``content`` with a byte changed behind each occurrence of a mark."""
    out = bytearray(content)
    for mark, offset, value in changes:
        out[out.index(mark) + offset] = value
    return bytes(out)


TGZ, ZIP = bundle("tgz"), bundle("zip")
# The bit in a zip's two headers that says the file is encrypted.
ENCRYPTED = with_bits(ZIP, (b"PK\x03\x04", 6, 1), (b"PK\x01\x02", 8, 1))
METHOD = with_bits(ZIP, (b"PK\x03\x04", 8, 99), (b"PK\x01\x02", 10, 99))


def linked() -> bytes:
    """A tar whose AppSpec is a link to nothing."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("appspec.yaml")
        info.type, info.linkname = tarfile.SYMTYPE, "nowhere"
        archive.addfile(info)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "content", "name"),
    [
        pytest.param("zip", b"no zip", "zip", id="corrupt"),
        pytest.param("zip", b"\0" * (11 * 2**20), "10 MiB", id="large"),
        pytest.param("zip", ENCRYPTED, "encrypted", id="encrypted"),
        pytest.param("zip", METHOD, "zip", id="unknown compression"),
        pytest.param("tgz", TGZ[: len(TGZ) // 2], "tgz", id="cut"),
        pytest.param("tgz", TGZ[:20] + b"\xff" * 99, "tgz", id="not deflated"),
        pytest.param("tar", linked(), "tar", id="link to nothing"),
        pytest.param("YAML", b"\xff\xfe", "YAML", id="not UTF-8"),
    ],
)
def test_s3_refused(kind, content, name):
    """A bundle that cannot be read is refused with its reason."""
    world = World()
    world.answers["s3", "get_object"] = body(content)
    location = {"bucket": "b", "key": "k", "bundleType": kind}

    with raises(CannotMeasure, "HG-REVISION", name):
        fetch_appspec(world, "app", {"revisionType": "S3", "s3Location": location})


def test_s3_body_breaks_off():
    """A revision that breaks off on its way is refused with its place."""
    world = World()
    world.answers["s3", "get_object"] = {"Body": StreamingBody(io.BytesIO(b"a"), 99)}
    location = {"bucket": "b", "key": "k", "bundleType": "YAML"}

    with raises(CannotMeasure, "HG-S3-OBJECT", "s3://b/k"):
        fetch_appspec(world, "app", {"revisionType": "S3", "s3Location": location})


@pytest.mark.parametrize(
    ("more", "sent"), [({"version": "v-7"}, {"VersionId": "v-7"}), ({}, {})]
)
def test_s3_version(more, sent):
    """The version that the revision names is the one that is asked for."""
    world = World()
    world.answers["s3", "get_object"] = body(APPSPEC.encode())
    location = {"bucket": "b", "key": "k", "bundleType": "YAML", **more}
    fetch_appspec(world, "app", {"revisionType": "S3", "s3Location": location})

    assert [("s3", "get_object", {"Bucket": "b", "Key": "k", **sent})] == world.calls


def test_github():
    """A revision type that no ECS deployment has is refused."""
    with raises(CannotMeasure, "HG-REVISION", "GitHub"):
        fetch_appspec(World(), "app", {"revisionType": "GitHub"})


def test_content_withheld():
    """An answer without the content is an error, not an empty AppSpec."""
    world = World()
    world.content = ""

    with raises(CannotMeasure, "HG-REVISION"):
        fetch_appspec(world, "app", world.deployment["revision"])
