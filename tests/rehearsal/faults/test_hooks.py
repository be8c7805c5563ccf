"""Events that come late, twice, wrong or never."""

import json

import pytest
from support.emulator_setup import function

from hookgate_rehearsal.faults.faults import Faults
from hookgate_rehearsal.faults.schema import HookFile

EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "own"}
PAYLOAD = json.dumps(EVENT).encode()


def deliveries(payload=PAYLOAD, **ordered):
    fault = HookFile.model_validate(ordered) if ordered else None

    class OneFault(Faults):
        def hook(self, deployment_id, function):
            return fault if deployment_id == "d-1" else None

    return OneFault().deliveries(function("echo"), payload)


@pytest.mark.parametrize(
    ("ordered", "expected"),
    [
        pytest.param({}, [(PAYLOAD, 0.0, 0)], id="no fault"),
        pytest.param({"does": "never_reports"}, [], id="never"),
        pytest.param(
            {"does": "reports_late", "by": "5s"}, [(PAYLOAD, 5.0, 0)], id="late"
        ),
        pytest.param({"does": "reports_twice"}, [(PAYLOAD, 0.0, 0)] * 2, id="twice"),
        pytest.param({"does": "dies", "times": 1}, [(PAYLOAD, 0.0, 1)], id="dies"),
        pytest.param({"does": "dies"}, [(PAYLOAD, 0.0, 10)], id="dies always"),
        pytest.param({"does": "is_not_permitted"}, [(PAYLOAD, 0.0, 0)], id="denied"),
    ],
)
def test_event_comes_as_ordered(ordered, expected):
    """How often, how late, and how many attempts die."""
    assert expected == [(d.payload, d.delay, d.deaths) for d in deliveries(**ordered)]


def test_foreign_id_is_another_one():
    """The deployment is the same, the execution's id is not."""
    (delivery,) = deliveries(does="reports_foreign_id")

    event = json.loads(delivery.payload)
    assert ("d-1", True) == (
        event["DeploymentId"],
        event["LifecycleEventHookExecutionId"] != "own",
    )


@pytest.mark.parametrize("payload", [b'{"DeploymentId": "d-2"}', b"[]", b"{}"])
def test_other_events_come_unchanged(payload):
    """Events of other deployments, and what is no event of CodeDeploy's."""
    (delivery,) = deliveries(payload, does="dies")

    assert (payload, 0) == (delivery.payload, delivery.deaths)
