"""The rehearsal record, and every way to be surprised."""

from datetime import UTC, datetime, timedelta

import pytest
from support.rehearsal_record import EVENTS, a_verdict, an_outcome

from rehearsal.faults.file import FaultsFile
from rehearsal.record import deployment_record, ordered, reasons, rehearsal_record
from rehearsal.scenario.deployments import DeploymentFile

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
    expect, *, at=None, rollback=None, verdicts=(), served=None, alarms=(), **traffic
):
    """The record of a deployment that ended as told, against what was expected.

    ``at`` is the event that failed, ``served`` when green first served a customer.
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
        info,
        rollback,
        _events(at),
        deployment,
        "arn:aws:ecs:us-east-1:123456789012:task-definition/shop:2",
        TRAFFIC | traffic,
        served,
        lambda event: dict(verdicts).get(event["lifecycleEventName"]),
        alarms,
    )


def _failed(expect, **more):
    """The record of a deployment that a hook stopped and that was rolled back."""
    outcome = an_outcome(name="price", status="failed", reason="came 750")
    verdicts = {"AfterAllowTestTraffic": a_verdict(outcome, status="Failed")}
    told = {
        "at": "AfterAllowTestTraffic",
        "rollback": ROLLBACK,
        "verdicts": verdicts,
    }
    return _record(expect, **(told | more))


def test_record_has_the_contracts_keys():
    """A deployment's record holds what the design promises."""
    promised = {
        *("deployment_id", "status", "expected", "as_expected", "error", "rollback"),
        *("lifecycle_events", "production_traffic"),
    }
    assert promised <= set(_record({"status": "Succeeded"}))


def test_record_tells_the_faults_in_units():
    """What was ordered to go wrong is told as a scenario would write it."""
    faults = {
        "stale_test_listener": {"for": "90s", "connections": "40%"},
        "hooks": {"AfterInstall": {"does": "dies", "times": 1}},
    }
    assert {
        "stale_test_listener": {"for": "1 min 30 s", "connections": "40%"},
        "hooks": {"AfterInstall": {"does": "dies", "times": 1}},
    } == ordered(FaultsFile.model_validate(faults))


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


def test_error_and_rollback_are_told():
    """A deployment that was stopped tells why, and what its rollback came to."""
    record = _failed(FAILED)
    expected = (STOPPED, {"deployment_id": "d-2", "status": "Succeeded"})
    assert expected == (record["error"], record["rollback"])


def test_good_deployment_is_as_expected():
    """A deployment that Succeeds as it should surprises nobody."""
    record = _record({"status": "Succeeded"}, served=GATE + 0.5)
    assert (True, []) == (record["as_expected"], record["surprises"])


def test_bad_deployment_is_as_expected():
    """A deployment that fails where and why it should surprises nobody."""
    record = _failed(FAILED | {"reason": "price: came 750"})
    assert (True, []) == (record["as_expected"], record["surprises"])


@pytest.mark.parametrize(
    ("expect", "expected"),
    [
        pytest.param(
            {"status": "Succeeded"},
            [
                "the deployment is Failed, not Succeeded",
                "the rollback is Succeeded, not none",
            ],
            id="it failed",
        ),
        pytest.param(
            FAILED | {"rollback": "Failed"},
            ["the rollback is Succeeded, not Failed"],
            id="it was rolled back",
        ),
        pytest.param(
            FAILED | {"event": "Install"},
            ["failed at AfterAllowTestTraffic, not at Install"],
            id="it failed elsewhere",
        ),
        pytest.param(
            FAILED | {"reason": "/cart"},
            ["no reason says '/cart'"],
            id="it failed for another reason",
        ),
    ],
)
def test_deployment_that_fails_otherwise_surprises(expect, expected):
    """Whatever differs from what the scenario says is told."""
    record = _failed(expect)
    assert (False, expected) == (record["as_expected"], record["surprises"])


def test_bad_version_that_goes_live_surprises():
    """A gate that lets everything through does not pass its rehearsal."""
    assert [
        "the deployment is Succeeded, not Failed",
        "the rollback is missing, not Succeeded",
        "failed at no event, not at AfterAllowTestTraffic",
    ] == _record(FAILED)["surprises"]


@pytest.mark.parametrize(
    ("traffic", "expected"),
    [
        pytest.param(
            {"failed": 2, "failures": ["/: reset", "/: answered 502"]},
            "2 of 9 requests of customers failed: /: reset; /: answered 502",
            id="failed",
        ),
        pytest.param(
            {"failed": 1},
            "1 of 9 requests of customers failed: as they did before",
            id="failed, when too many had failed before",
        ),
        pytest.param(
            {"dropped": 3},
            "customers were too many at once: 3 of their requests could not be started",
            id="dropped",
        ),
    ],
)
def test_customer_who_is_not_served_surprises(traffic, expected):
    """Not one request of the customers may fail."""
    assert [expected] == _record({"status": "Succeeded"}, **traffic)["surprises"]


EARLY = "customers were answered by green before BeforeAllowTraffic had passed"


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
    """A customer served by green before BeforeAllowTraffic passed is a surprise."""
    assert expected == _record({"status": "Succeeded"}, served=served)["surprises"]


def test_green_never_answers_when_the_gate_did_not_pass():
    """A customer served by a version that was stopped is a surprise at any time."""
    assert [EARLY] == _failed(FAILED, served=GATE + 100)["surprises"]


def test_only_what_blocked_is_a_reason():
    """Reasons are the error and each blocking step that did not pass."""
    verdict = a_verdict(
        an_outcome(name="a", status="failed", reason="x"),
        an_outcome(name="b", status="failed", reason="y", blocking=False),
        an_outcome(name="c"),
        an_outcome(name="d", status="skipped", reason="needs a"),
    )
    record = _failed(FAILED, verdicts={"AfterAllowTestTraffic": verdict})
    assert ["a hook reported Failed", "a: x", "d: needs a"] == reasons(record)


def test_rehearsal_gathers_deployments():
    """A rehearsal's record names its schema and holds all deployments."""
    expected = {"schema": "hookgate.rehearsal/1", "deployments": [{"a": 1}]}
    assert expected == rehearsal_record(iter([{"a": 1}]))


@pytest.mark.parametrize(
    ("alarms", "surprises"),
    [
        ([{"name": "errors", "reason": "9 > 2"}], []),
        (
            [{"name": "slow", "reason": "3 > 2"}],
            ["stopped by slow, not by errors"],
        ),
        ([], ["stopped by no alarm, not by errors"]),
    ],
    ids=["the expected one", "another", "none"],
)
def test_the_alarm_that_stopped_it(alarms, surprises):
    """It stands in the record with its reason, and must be the expected one."""
    record = _failed(FAILED | {"alarm": "errors"}, alarms=alarms)

    assert (alarms, surprises) == (record["alarms"], record["surprises"])
    assert [f"{each['name']}: {each['reason']}" for each in alarms] == [
        each for each in reasons(record) if each.startswith(("errors", "slow"))
    ]


@pytest.mark.parametrize(
    ("share", "is_surprise"), [("0%", True), ("20%", True), ("25%", False)]
)
def test_customers_requests_may_fail_as_far_as_is_said(share, is_surprise):
    """Two of eight failed: a quarter may be allowed, and nothing is by default."""
    record = _failed(FAILED | {"failed_requests": share}, requests=8, failed=2)

    assert is_surprise is bool(record["surprises"])
