"""When faults are in force: from a deployment's creation to its end, on its own."""

import queue

import pytest
from support.emulator_setup import TIMEOUT
from support.virtual_world import HOOKS, Simulation, VirtualWorld

from hookgate_rehearsal.codedeploy.model.deployment import EventName
from hookgate_rehearsal.codedeploy.model.signals import InvokeHook
from hookgate_rehearsal.data_plane.settings import Certificate
from hookgate_rehearsal.faults.faults import Faults, Stops
from hookgate_rehearsal.faults.schema import FaultsFile

ORDERED = FaultsFile.model_validate(
    {
        "stale_test_listener": {"for": "5s"},
        "hooks": {"AfterInstall": {"does": "is_not_permitted"}},
        "calls": [{"call": "codedeploy:GetDeployment", "gets": "lost"}],
        "certificate": {"chain": "expired.pem", "key": "expired.key"},
        "stop": {"at": "AfterAllowTestTraffic", "rollback": True},
    }
)
EXPIRED = Certificate(chain=b"expired", key=b"key")
AFTER_INSTALL = HOOKS[EventName("AfterInstall")]


class CodeDeploy:
    """A client that writes down what is stopped."""

    def __init__(self):
        self.stopped = queue.Queue()

    def stop_deployment(self, **asked):
        self.stopped.put(asked)


@pytest.fixture(name="codedeploy")
def _codedeploy():
    return CodeDeploy()


@pytest.fixture(name="faults")
def _faults():
    return Faults()


@pytest.fixture(name="seen")
def _seen(faults, codedeploy):
    """What was in force at each hook of a deployment, by event."""
    stops = Stops(faults, lambda: codedeploy)
    seen = {}

    def look(deployment, effect):
        if isinstance(effect, InvokeHook):
            hook = faults.hook(deployment.id, AFTER_INSTALL)
            seen[effect.event] = (
                hook and hook.does,
                [(each.function, each.fault.gets) for each in faults.calls()],
                faults.stale_listener("arn:test") is not None,
                faults.certificate("arn:test"),
                faults.certificate("arn:production"),
            )

    def run_it(definition):
        records = Simulation(world=VirtualWorld(on_effect=look))
        records.engine._observer = stops.on_change
        faults.add(definition, ORDERED, EXPIRED)
        records.submit()
        records.run()
        return seen

    yield run_it
    stops.close()


def test_faults_are_in_force_while_their_version_is_deployed(seen):
    """Hooks, calls and the test listener meet what is ordered for them."""
    calls = [(AFTER_INSTALL, "denied"), (None, "lost")]
    in_force = ("is_not_permitted", calls, True, EXPIRED, None)
    assert [in_force] * len(HOOKS) == list(seen("shop:2").values())


def test_another_version_meets_nothing(seen):
    """The faults of one version do not affect another."""
    assert [(None, [], False, None, None)] * len(HOOKS) == list(seen("shop:3").values())


def test_nothing_is_in_force_after_the_end(seen, faults):
    """A deployment that is over has no faults any more."""
    seen("shop:2")

    left = faults.stale_listener("arn:test"), faults.certificate("arn:test")
    assert ((), None, None) == (faults.calls(), *left)


def test_stop_is_called_when_its_event_begins(seen, codedeploy):
    """StopDeployment is asked for once, with the rollback that was ordered."""
    seen("shop:2")

    asked = codedeploy.stopped.get(timeout=TIMEOUT)
    assert ({"autoRollbackEnabled": True}, True) == (
        {k: v for k, v in asked.items() if k != "deploymentId"},
        codedeploy.stopped.empty(),
    )
