"""Revisions in S3: the AppSpec alone, or in a bundle."""

import io
import tarfile
import zipfile

import pytest
from botocore.exceptions import ClientError
from support.emulator_setup import IMAGES, SETTINGS, Setting, fetch, wait_for

from hookgate_rehearsal.emulator import Emulator

GROUP = {"applicationName": "shop", "deploymentGroupName": "live"}


@pytest.fixture(name="setting", scope="module")
def _setting():
    with Emulator(images=IMAGES, settings=SETTINGS) as emulator:
        emulator.client("s3").create_bucket(Bucket="revisions")
        yield Setting(emulator).build()


def plain(name, content):
    """The AppSpec itself."""
    return content


def zipped(name, content):
    """A zip with the AppSpec in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("notes.txt", "not this one")
        archive.writestr(name, content)
    return file.getvalue()


def tarred(name, content, mode="w"):
    """A tar with the AppSpec in it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def tgz(name, content):
    """The same, compressed."""
    return tarred(name, content, "w:gz")


def revision(setting, bundle, body, folder=""):
    """An object of that type in the bucket, as a revision."""
    s3, key = setting.emulator.client("s3"), f"{folder}key.{bundle}"
    s3.put_object(Bucket="revisions", Key=key, Body=body)
    location = {"bucket": "revisions", "key": key, "bundleType": bundle}
    return {"revisionType": "S3", "s3Location": location}


def test_a_bundle_is_deployed(setting):
    """The version of a zip's AppSpec goes live, and the revision is unchanged."""
    given = revision(
        setting, "zip", zipped("appspec.yaml", setting.app_spec("2").encode())
    )

    made = setting.codedeploy.create_deployment(**GROUP, revision=given)

    info = setting.ended(made["deploymentId"])
    wait_for(lambda: len(setting.task_sets()) == 1)
    assert ("Succeeded", given) == (info["status"], info["revision"])
    assert "2" == fetch(setting.ports["production"])


@pytest.mark.parametrize(
    ("bundle", "pack", "name"),
    [
        pytest.param("YAML", plain, "", id="YAML"),
        pytest.param("JSON", plain, "", id="JSON"),
        pytest.param("zip", zipped, "appspec.yml", id="zip"),
        pytest.param("tar", tarred, "./appspec.yaml", id="tar"),
        pytest.param("tgz", tgz, "appspec.json", id="tgz"),
    ],
)
def test_every_bundle_type_is_read(setting, bundle, pack, name):
    """A revision of each type that ECS deployments have can be registered."""
    body = pack(name, setting.app_spec("2").encode())
    given = revision(setting, bundle, body)

    setting.codedeploy.register_application_revision(
        applicationName="shop", revision=given
    )

    answer = setting.codedeploy.get_application_revision(
        applicationName="shop", revision=given
    )
    assert given == answer["revision"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param({"s3Bucket": "revisions"}, {"new/key.YAML", "old/key.YAML"}),
        pytest.param(
            {"s3Bucket": "revisions", "s3KeyPrefix": "new/"}, {"new/key.YAML"}
        ),
        pytest.param({"s3Bucket": "others"}, set()),
    ],
)
def test_revisions_are_listed_by_their_place(setting, filters, expected):
    """A bucket and a prefix leave out what is elsewhere, and what is not in S3."""
    app = {"applicationName": "listed"}
    known = setting.codedeploy.list_applications()["applications"]
    if "listed" not in known:
        setting.codedeploy.create_application(**app, computePlatform="ECS")
    content = setting.app_spec("2")
    inline = {"revisionType": "String", "string": {"content": content}}
    in_s3 = [
        revision(setting, "YAML", content.encode(), folder)
        for folder in ("new/", "old/")
    ]
    for each in (inline, *in_s3):
        setting.codedeploy.register_application_revision(**app, revision=each)

    listed = setting.codedeploy.list_application_revisions(**app, **filters)[
        "revisions"
    ]

    assert expected == {each["s3Location"]["key"] for each in listed}


@pytest.mark.parametrize(
    ("bundle", "body", "message"),
    [
        pytest.param("zip", b"PK", "not a valid zip", id="broken zip"),
        pytest.param("tgz", tarred("x", b""), "none of appspec", id="empty"),
        pytest.param("zip", zipped("in/appspec.yaml", b""), "none of", id="too deep"),
        pytest.param("YAML", b"{}", "version must be 0.0", id="no AppSpec"),
        pytest.param("YAML", b"x" * (10 * 2**20 + 1), "larger than 10", id="too large"),
    ],
)
def test_a_wrong_bundle_is_refused(setting, bundle, body, message):
    """CreateDeployment reports what is wrong with the object."""
    given = revision(setting, bundle, body)
    with pytest.raises(ClientError, match=message) as refused:
        setting.codedeploy.create_deployment(**GROUP, revision=given)

    assert "InvalidRevisionException" == refused.value.response["Error"]["Code"]
