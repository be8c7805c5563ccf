"""Where a scenario's plan lies on an emulator."""

import pytest

from hookgate_rehearsal.building.plan import ADVANCED_TIER, BUCKET, ScenarioPlan
from hookgate_rehearsal.rehearse import Rehearsal, RehearsalObserver
from hookgate_rehearsal.scenario.reader import read_scenario


@pytest.fixture(scope="module", name="emulator")
def _emulator(tmp_path_factory):
    """An emulator with nothing on it but what the hooks are given."""
    folder = tmp_path_factory.mktemp("scenario")
    (folder / "plan.yaml").write_text("")
    (folder / "scenario.yaml").write_text(
        "{version: 1, service: {name: shop}, plan: plan.yaml, images: {a: {command:"
        " [a]}}, starts_with: a, deployment_group: {application: shop, name: live},"
        " deployments: [{name: it, image: a, expect: {status: Succeeded}}]}"
    )
    scenario = read_scenario(folder / "scenario.yaml")
    with Rehearsal(
        scenario=scenario, observer=RehearsalObserver()
    ).emulator() as emulator:
        yield emulator


def _objects(emulator, application):
    s3 = emulator.client("s3")
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{application}/")
    return {
        each["Key"]: s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()
        for each in found.get("Contents", ())
    }


def _parameters(emulator, application):
    found = emulator.client("ssm").describe_parameters()["Parameters"]
    return [each["Name"] for each in found if f"/{application}/" in each["Name"]]


def _plan(**changes):
    return ScenarioPlan(
        **{"source": b"version: 1", "events": (), "files": {}} | changes
    )


def test_a_plan_alone_is_a_parameter(emulator):
    """What has no files goes to SSM."""
    _plan().store(emulator, "alone", "live")
    assert ["/hookgate/plans/alone/live"] == _parameters(emulator, "alone")
    assert {} == _objects(emulator, "alone")


def test_a_plan_with_files_is_an_object_among_them(emulator):
    """Files lie below the application, where the hooks look for them."""
    _plan(files={"data/users.csv": b"name"}).store(emulator, "filed", "live")
    assert [] == _parameters(emulator, "filed")
    assert {
        "filed/data/users.csv": b"name",
        "filed/live.yaml": b"version: 1",
    } == _objects(emulator, "filed")


def test_a_plan_too_large_for_a_parameter_is_an_object(emulator):
    """SSM takes 8 KiB at most."""
    source = b"#" * (ADVANCED_TIER + 1)
    _plan(source=source).store(emulator, "large", "live")
    assert [] == _parameters(emulator, "large")
    assert {"large/live.yaml": source} == _objects(emulator, "large")
