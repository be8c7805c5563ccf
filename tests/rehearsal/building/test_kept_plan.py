"""Where a scenario's plan lies on a stage."""

import pytest

from rehearsal.building.kept_plan import ADVANCED_TIER, BUCKET, KeptPlan
from rehearsal.rehearse import Rehearsal, SilentAudience
from rehearsal.scenario.scenario import read_scenario


@pytest.fixture(scope="module", name="stage")
def _stage(tmp_path_factory):
    """A stage with nothing on it but what the hooks are given."""
    folder = tmp_path_factory.mktemp("scenario")
    (folder / "plan.yaml").write_text("")
    (folder / "scenario.yaml").write_text(
        "{version: 1, service: {name: shop}, plan: plan.yaml, images: {a: {command:"
        " [a]}}, starts_with: a, deployment_group: {application: shop, name: live},"
        " deployments: [{name: it, image: a, expect: {status: Succeeded}}]}"
    )
    scenario = read_scenario(folder / "scenario.yaml")
    with Rehearsal(scenario=scenario, audience=SilentAudience()).stage() as stage:
        yield stage


def _objects(stage, application):
    s3 = stage.client("s3")
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{application}/")
    return {
        each["Key"]: s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()
        for each in found.get("Contents", ())
    }


def _parameters(stage, application):
    found = stage.client("ssm").describe_parameters()["Parameters"]
    return [each["Name"] for each in found if f"/{application}/" in each["Name"]]


def _plan(**changes):
    return KeptPlan(**{"source": b"version: 1", "events": (), "files": {}} | changes)


def test_a_plan_alone_is_a_parameter(stage):
    """What has no files goes to SSM."""
    _plan().put(stage, "alone", "live")
    assert ["/hookgate/plans/alone/live"] == _parameters(stage, "alone")
    assert {} == _objects(stage, "alone")


def test_a_plan_with_files_is_an_object_among_them(stage):
    """Files lie below the application, where the hooks look for them."""
    _plan(files={"data/users.csv": b"name"}).put(stage, "filed", "live")
    assert [] == _parameters(stage, "filed")
    assert {
        "filed/data/users.csv": b"name",
        "filed/live.yaml": b"version: 1",
    } == _objects(stage, "filed")


def test_a_plan_too_large_for_a_parameter_is_an_object(stage):
    """SSM takes 8 KiB at most."""
    source = b"#" * (ADVANCED_TIER + 1)
    _plan(source=source).put(stage, "large", "live")
    assert [] == _parameters(stage, "large")
    assert {"large/live.yaml": source} == _objects(stage, "large")
