"""The rehearsal record, and every way to be surprised."""

from datetime import UTC, datetime, timedelta

import pytest
from support.rehearsal_record import EVENTS, a_verdict, an_outcome

from hookgate_rehearsal.faults.schema import FaultsFile
from hookgate_rehearsal.record import (
    configured_faults,
    deployment_record,
    reasons,
    rehearsal_record,
)
from hookgate_rehearsal.scenario.schema import DeploymentFile

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TRAFFIC = {"requests": 9, "failed": 0, "dropped": 0, "failures": [], "served_by": {}}
#: When BeforeAllowTraffic ends in these records, in epoch seconds.
GATE = (BEGAN + timedelta(seconds=EVENTS.index("BeforeAllowTraffic") + 1)).timestamp()
STOPPED = {"code": "HOOK_EXECUTION_FAILURE", "message": "a hook reported Failed"}
ROLLBACK = {"deploymentId": "d-2", "status": "Succeeded"}
FAILED = {"status": "Failed", "event": "AfterAllowTestTraffic", "rollback": "Succeeded"}


def _events(failed=None):
    """The target's events, a second each; after one that failed they are skipped."""
    status = "Succeeded"
    for second, name in enumerate(EVENTS):
        started = BEGAN + timedelta(seconds=second)
        times = {"startTime": started, "endTime": started + timedelta(seconds=1)}
        yield {
            "lifecycleEventName": name,
            "status": "Failed" if name == failed else status,
            **(times if status == "Succeeded" else {}),
        }
        if name == failed:
            status = "Skipped"


def _record(  # noqa: PLR0913 - each is what a test is about
    expect,
    *,
    at=None,
    rollback=None,
    verdicts=(),
    served=None,
    alarms=(),
    interrupted=False,
    **traffic,
):
    """The record of a deployment with this end and this expected result.

    ``at`` is the event that failed, ``served`` when green first served a client.
    """
    deployment = DeploymentFile.model_validate(
        {"name": "x", "image": "shop:2", "expect": expect}
    )
    info = {
        "deploymentId": "d-1",
        "status": "Failed" if at else "Succeeded",
        **({"errorInformation": STOPPED} if at else {}),
    }
    return deployment_record(
        deployment,
        info=info,
        rollback=rollback,
        events=[
            (each, dict(verdicts).get(each["lifecycleEventName"]))
            for each in _events(at)
        ],
        definition="arn:aws:ecs:us-east-1:123456789012:task-definition/shop:2",
        traffic=TRAFFIC | traffic,
        green_served_at=served,
        alarms=alarms,
        interrupted=interrupted,
    )


def _failed(expect, **more):
    """The record of a deployment that a hook stopped and that was rolled back."""
    outcome = an_outcome(name="price", status="failed", reason="expected 7.5, got 750")
    verdicts = {"AfterAllowTestTraffic": a_verdict(outcome, status="Failed")}
    result = {
        "at": "AfterAllowTestTraffic",
        "rollback": ROLLBACK,
        "verdicts": verdicts,
    }
    return _record(expect, **(result | more))


def test_record_has_the_contracts_keys():
    """A deployment's record holds what the design promises."""
    promised = {
        *("deployment_id", "status", "expected", "as_expected", "error", "rollback"),
        *("lifecycle_events", "production_traffic"),
    }
    assert promised <= set(_record({"status": "Succeeded"}))


def test_record_tells_the_faults_in_units():
    """The record has the faults as in the scenario."""
    faults = {
        "stale_test_listener": {"for": "90s", "connections": "40%"},
        "hooks": {"AfterInstall": {"does": "dies", "times": 1}},
    }
    assert {
        "stale_test_listener": {"for": "1 min 30 s", "connections": "40%"},
        "hooks": {"AfterInstall": {"does": "dies", "times": 1}},
    } == configured_faults(FaultsFile.model_validate(faults))


def test_event_has_the_contracts_keys():
    """An event's record tells its status, its times and its verdict."""
    event = _record({"status": "Succeeded"})["lifecycle_events"][1]
    assert {
        "name": "Install",
        "status": "Succeeded",
        "started_at": "2026-01-02T03:04:06+00:00",
        "ended_at": "2026-01-02T03:04:07+00:00",
        "duration_ms": 1000,
        "verdict": None,
    } == event


def test_skipped_event_has_no_times():
    """What never ran has neither a start nor a duration."""
    event = _failed(FAILED)["lifecycle_events"][-1]
    assert (None, None, 0) == (
        event["started_at"],
        event["ended_at"],
        event["duration_ms"],
    )


def test_error_and_rollback_are_reported():
    """The record has the error, and the status of the rollback."""
    record = _failed(FAILED)
    expected = (STOPPED, {"deployment_id": "d-2", "status": "Succeeded"})
    assert expected == (record["error"], record["rollback"])


def test_good_deployment_is_as_expected():
    """A deployment that Succeeds as expected has no surprises."""
    record = _record({"status": "Succeeded"}, served=GATE + 0.5)
    assert (True, []) == (record["as_expected"], record["surprises"])


def test_bad_deployment_is_as_expected():
    """A deployment that fails as expected has no surprises."""
    step = {"name": "price", "status": "failed"}
    record = _failed(FAILED | {"step": step, "reason": "got 750"})
    assert (True, []) == (record["as_expected"], record["surprises"])


@pytest.mark.parametrize(
    ("expect", "expected"),
    [
        pytest.param(
            {"status": "Succeeded"},
            [
                "expected status Succeeded, got Failed",
                "expected rollback none, got Succeeded",
            ],
            id="it failed",
        ),
        pytest.param(
            FAILED | {"rollback": "Failed"},
            ["expected rollback Failed, got Succeeded"],
            id="it was rolled back",
        ),
        pytest.param(
            FAILED | {"event": "Install"},
            ["expected failed event Install, got AfterAllowTestTraffic"],
            id="it failed elsewhere",
        ),
        pytest.param(
            FAILED | {"reason": "/cart"},
            ["no reason contains '/cart'"],
            id="it failed for another reason",
        ),
    ],
)
def test_deployment_that_fails_otherwise_surprises(expect, expected):
    """Each difference from the scenario is reported."""
    record = _failed(expect)
    assert (False, expected) == (record["as_expected"], record["surprises"])


ERRORED = an_outcome(
    name="price of a room",
    status="errored",
    reason="the secret key is missing",
    code="HG-NOT-FOUND",
)
FAILED_STEP = an_outcome(
    name="price of a room", status="failed", reason="expected 7.5, got 750"
)
SKIPPED = an_outcome(
    name="load", status="skipped", reason="needs price of a room, which did not pass"
)
GOT_ERRORED = "'price of a room' errored: the secret key is missing [HG-NOT-FOUND]"
GOT_FAILED = "'price of a room' failed: expected 7.5, got 750"
OTHER_CODE = (
    f"expected a step (errored, HG-ACCESS-DENIED) to stop it, got {GOT_ERRORED}"
)
ONLY_ERRORED = (
    f"only errored steps stopped it: {GOT_ERRORED}; an errored step satisfies an "
    "expected failure only with step: {status: errored}"
)


@pytest.mark.parametrize(
    ("expect", "outcomes", "expected"),
    [
        pytest.param(
            {"reason": "price of a room"},
            [ERRORED, SKIPPED],
            [ONLY_ERRORED, "no reason contains 'price of a room'"],
            id="a reason is no name",
        ),
        pytest.param(
            {"reason": "secret"},
            [ERRORED],
            [ONLY_ERRORED, "no reason contains 'secret'"],
            id="the reason of an errored step",
        ),
        pytest.param({}, [ERRORED], [ONLY_ERRORED], id="an errored step alone"),
        pytest.param({}, [ERRORED, FAILED_STEP], [], id="a failed step beside"),
        pytest.param(
            {"reason": "price of a room"},
            [FAILED_STEP, SKIPPED],
            ["no reason contains 'price of a room'"],
            id="the reason of a skipped step names another",
        ),
        pytest.param(
            {"step": {"name": "price of a room"}}, [FAILED_STEP], [], id="by name"
        ),
        pytest.param(
            {"step": {"name": "price of a room"}, "reason": "got 750"},
            [FAILED_STEP],
            [],
            id="by name and reason",
        ),
        pytest.param(
            {"step": {"name": "price of a room"}, "reason": "a hook reported"},
            [FAILED_STEP],
            ["no reason contains 'a hook reported'"],
            id="the reason of another",
        ),
        pytest.param(
            {"step": {"name": "price of a room"}},
            [ERRORED],
            [f"expected step 'price of a room' to stop it, got {GOT_ERRORED}"],
            id="by name, but errored",
        ),
        pytest.param(
            {"step": {"name": "price"}},
            [FAILED_STEP],
            [f"expected step 'price' to stop it, got {GOT_FAILED}"],
            id="a part of a name",
        ),
        pytest.param(
            {"step": {"status": "inconclusive"}},
            [FAILED_STEP],
            [f"expected a step (inconclusive) to stop it, got {GOT_FAILED}"],
            id="another status",
        ),
        pytest.param(
            {"step": {"status": "errored", "code": "HG-NOT-FOUND"}, "reason": "secret"},
            [ERRORED],
            [],
            id="an expected error",
        ),
        pytest.param(
            {"step": {"status": "errored", "code": "HG-ACCESS-DENIED"}},
            [ERRORED],
            [OTHER_CODE],
            id="another code",
        ),
        pytest.param(
            {"step": {"status": "errored"}},
            [ERRORED | {"blocking": False}],
            ["expected a step (errored) to stop it, got no step"],
            id="a step that does not block",
        ),
    ],
)
def test_right_step_must_stop_it(expect, outcomes, expected):
    """A bad version is stopped by the expected step, or the rehearsal fails."""
    verdicts = {"AfterAllowTestTraffic": a_verdict(*outcomes, status="Failed")}
    assert expected == _failed(FAILED | expect, verdicts=verdicts)["surprises"]


def test_step_at_another_event_does_not_count():
    """A step of an event that Succeeded did not stop the deployment."""
    other = a_verdict(an_outcome(name="x", status="failed", blocking=True))
    record = _failed(FAILED | {"step": {"name": "x"}}, verdicts={"AfterInstall": other})
    assert ["expected step 'x' to stop it, got no step"] == record["surprises"]


def test_interrupted_deployment_is_not_as_expected():
    """However a deployment looks at an interrupt, it has not ended as expected."""
    record = _record({"status": "Succeeded"}, interrupted=True)
    assert (True, False, ["interrupted before the deployment ended"]) == (
        record["interrupted"],
        record["as_expected"],
        record["surprises"],
    )


def test_bad_version_that_goes_live_surprises():
    """A gate that lets everything through does not pass its rehearsal."""
    assert [
        "expected status Failed, got Succeeded",
        "expected rollback Succeeded, got none",
        "expected failed event AfterAllowTestTraffic, got none",
    ] == _record(FAILED)["surprises"]


@pytest.mark.parametrize(
    ("traffic", "expected"),
    [
        pytest.param(
            {"failed": 2, "failures": ["/: reset", "/: answered 502"]},
            "2 of 9 production requests failed: /: reset; /: answered 502",
            id="failed",
        ),
        pytest.param(
            {"failed": 1},
            "1 of 9 production requests failed: reasons not kept",
            id="failed, when too many had failed before",
        ),
        pytest.param(
            {"dropped": 3},
            "3 production requests could not start in time",
            id="dropped",
        ),
    ],
)
def test_failed_production_requests_surprise(traffic, expected):
    """By default no production request may fail."""
    assert [expected] == _record({"status": "Succeeded"}, **traffic)["surprises"]


EARLY = "green served production traffic before BeforeAllowTraffic passed"


@pytest.mark.parametrize(
    ("served", "expected"),
    [
        pytest.param(None, [], id="never"),
        pytest.param(GATE + 0.01, [], id="after"),
        pytest.param(GATE - 0.0005, [], id="within the clock's grain"),
        pytest.param(GATE - 0.01, [EARLY], id="before"),
    ],
)
def test_green_answers_only_behind_the_gate(served, expected):
    """A client served by green before BeforeAllowTraffic passed is a surprise."""
    assert expected == _record({"status": "Succeeded"}, served=served)["surprises"]


def test_green_never_answers_when_the_gate_did_not_pass():
    """A client served by a version that was stopped is a surprise at any time."""
    assert [EARLY] == _failed(FAILED, served=GATE + 100)["surprises"]


def test_only_a_step_that_blocked_has_a_reason():
    """Reasons are the error's and those of blocking steps, never a name."""
    verdict = a_verdict(
        an_outcome(name="a", status="failed", reason="x"),
        an_outcome(name="b", status="failed", reason="y", blocking=False),
        an_outcome(name="c"),
        an_outcome(name="d", status="skipped", reason="needs a"),
    )
    record = _failed(FAILED, verdicts={"AfterAllowTestTraffic": verdict})
    assert ["a hook reported Failed", "x"] == reasons(record)


def test_rehearsal_gathers_deployments():
    """A rehearsal's record names its schema and holds all deployments."""
    expected = {
        "schema": "hookgate.rehearsal/1",
        "interrupted": False,
        "deployments": [{"a": 1}],
        "not_run": [],
    }
    assert expected == rehearsal_record(iter([{"a": 1}]))


@pytest.mark.parametrize(
    ("alarms", "surprises"),
    [
        ([{"name": "errors", "reason": "9 > 2"}], []),
        (
            [{"name": "slow", "reason": "3 > 2"}],
            ["expected alarm errors to stop it, got slow"],
        ),
        ([], ["expected alarm errors to stop it, got no alarm"]),
    ],
    ids=["the expected one", "another", "none"],
)
def test_the_alarm_that_stopped_it(alarms, surprises):
    """It stands in the record with its reason, and must be the expected one."""
    record = _failed(FAILED | {"alarm": "errors"}, alarms=alarms)

    assert (alarms, surprises) == (record["alarms"], record["surprises"])
    assert [each["reason"] for each in alarms] == [
        each for each in reasons(record) if each.endswith("> 2")
    ]


@pytest.mark.parametrize(
    ("share", "is_surprise"), [("0%", True), ("20%", True), ("25%", False)]
)
def test_failed_requests_is_a_limit(share, is_surprise):
    """Two of eight failed: a quarter may be allowed, and nothing is by default."""
    record = _failed(FAILED | {"failed_requests": share}, requests=8, failed=2)

    assert is_surprise is bool(record["surprises"])
