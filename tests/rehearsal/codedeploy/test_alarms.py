"""Deployments that follow alarms, on a virtual clock."""

import pytest
from support.virtual_world import HOOKS, SILENT, Simulation, VirtualWorld

from hookgate_rehearsal.codedeploy.model.deployment import (
    AutoRollbackEvent,
    DeploymentStatus,
    ErrorCode,
    EventName,
    EventStatus,
    ShiftStep,
    TaskSetLabel,
    Waits,
)
from hookgate_rehearsal.codedeploy.model.signals import (
    DeleteTaskSet,
    PollAlarms,
    StopRequested,
)
from hookgate_rehearsal.codedeploy.settings import Assumptions, EngineSettings

ALARM = "shop-5xx"
ON_ALARM = frozenset({AutoRollbackEvent.STOP_ON_ALARM})
CANARY = (ShiftStep(weight=10.0), ShiftStep(weight=100.0, after=5.0))


def follow(state="OK", answers=None, assumptions=None, **changes):
    """Simulate a deployment that follows one alarm; return both."""
    world = VirtualWorld(answers=answers or {}, alarms={ALARM: state} if state else {})
    settings = EngineSettings(assumptions=assumptions or Assumptions())
    simulation = Simulation(world=world, settings=settings)
    usual = {"alarms": (ALARM,), "rolls_back_on": ON_ALARM}
    return simulation, simulation.submit(**usual | changes)


def in_event(simulation, submitted, name):
    event = simulation.deployment(submitted).event(name)
    return lambda: (
        simulation.deployment(submitted).event(event.name).status
        is EventStatus.IN_PROGRESS
    )


def green_has(simulation, weight):
    return lambda: simulation.world.green_weight == weight


def assert_back_on_blue(simulation, submitted):
    deployment = simulation.deployment(submitted)
    rollback = simulation.deployment(deployment.rollback_id)
    world = simulation.world
    assert DeploymentStatus.SUCCEEDED is rollback.status
    assert (0.0, TaskSetLabel.BLUE) == (world.green_weight, world.test_listener)
    assert (TaskSetLabel.BLUE, {TaskSetLabel.BLUE}) == (world.primary, world.task_sets)


def assert_stopped(simulation, submitted, code=ErrorCode.ALARM_ACTIVE):
    deployment = simulation.deployment(submitted)
    assert (DeploymentStatus.STOPPED, code) == (
        deployment.status,
        deployment.error.code,
    )
    return deployment


def test_alarms_that_stay_well_change_nothing():
    """The deployment Succeeds, and its alarms were looked at all the time."""
    simulation, submitted = follow(waits=Waits(termination=10.0))
    seen = []
    simulation.world.on_effect = lambda _, effect: seen.append(type(effect))

    simulation.run()

    assert DeploymentStatus.SUCCEEDED is simulation.deployment(submitted).status
    assert 120 == seen.count(PollAlarms) - 1  # 600 s, every 5 s, and once at the start


def test_an_alarm_at_the_start_stops_the_deployment_at_once():
    """Nothing is installed, no hook runs, and there is nothing to roll back."""
    simulation, submitted = follow("ALARM")

    simulation.run()

    deployment = assert_stopped(simulation, submitted)
    assert f"Activated alarms: <{ALARM}>" in deployment.error.message
    assert (None, []) == (deployment.rollback_id, simulation.world.invoked)
    assert {TaskSetLabel.BLUE} == simulation.world.task_sets
    assert [EventStatus.SKIPPED] * 8 == [event.status for event in deployment.events]


@pytest.mark.parametrize("event", list(HOOKS)[1:])
def test_an_alarm_during_a_running_hook(event):
    """The hook's event Fails, the later ones are Skipped, blue has everything back."""
    simulation, submitted = follow(answers={event: SILENT})
    simulation.run(until=lambda: event in simulation.world.invoked)

    simulation.world.alarms[ALARM] = "ALARM"
    simulation.run()

    deployment = assert_stopped(simulation, submitted)
    assert EventStatus.FAILED is deployment.event(event).status
    assert ALARM in deployment.event(event).message
    assert_back_on_blue(simulation, submitted)


def test_an_alarm_while_canary_weights_are_out():
    """Ten percent of traffic goes back to blue within one poll of the alarms."""
    simulation, submitted = follow(shift=CANARY)
    simulation.run(until=green_has(simulation, 10.0))
    began = simulation.clock.time

    simulation.world.alarms[ALARM] = "ALARM"
    simulation.run(until=green_has(simulation, 0.0))

    assert simulation.clock.time - began <= simulation.settings.alarm_poll_interval
    simulation.run()
    assert_stopped(simulation, submitted)
    assert_back_on_blue(simulation, submitted)


def test_an_alarm_during_the_ready_wait():
    """A deployment that is Ready is stopped as well."""
    simulation, submitted = follow(waits=Waits(ready=60.0))
    ready = DeploymentStatus.READY
    simulation.run(until=lambda: simulation.deployment(submitted).status is ready)

    simulation.world.alarms[ALARM] = "ALARM"
    simulation.run()

    assert_stopped(simulation, submitted)
    assert_back_on_blue(simulation, submitted)


def test_an_alarm_during_the_termination_wait():
    """All traffic is on green already; the target stays Succeeded, blue comes back."""
    simulation, submitted = follow(waits=Waits(termination=60.0))
    ended = EventName.AFTER_ALLOW_TRAFFIC
    simulation.run(
        until=lambda: (
            simulation.deployment(submitted).event(ended).status
            is EventStatus.SUCCEEDED
        )
    )

    simulation.world.alarms[ALARM] = "ALARM"
    simulation.run()

    deployment = assert_stopped(simulation, submitted)
    assert EventStatus.SUCCEEDED is deployment.target_status
    assert_back_on_blue(simulation, submitted)


def test_an_alarm_while_green_is_installed():
    """Install is stopped and what ECS made meanwhile is taken away again."""
    simulation, submitted = follow()
    simulation.world.is_steady = False
    simulation.run(until=in_event(simulation, submitted, EventName.INSTALL))

    simulation.world.alarms[ALARM] = "ALARM"
    simulation.run()

    assert EventStatus.FAILED is (
        assert_stopped(simulation, submitted).event(EventName.INSTALL).status
    )
    assert_back_on_blue(simulation, submitted)


@pytest.mark.parametrize("cause", [None, AutoRollbackEvent.FAILURE])
def test_a_group_that_does_not_roll_back_on_alarms_keeps_its_weights(cause):
    """The canary's weights stay where only failures are rolled back."""
    events = frozenset({cause} if cause else ())
    simulation, submitted = follow(shift=CANARY, rolls_back_on=events)
    simulation.run(until=green_has(simulation, 10.0))

    simulation.world.alarms[ALARM] = "ALARM"
    simulation.run()

    assert assert_stopped(simulation, submitted).rollback_id is None
    assert 10.0 == simulation.world.green_weight


@pytest.mark.parametrize(
    ("state", "changes", "assumptions", "code"),
    [
        pytest.param("INSUFFICIENT_DATA", {}, {}, None, id="insufficient data"),
        pytest.param(
            "INSUFFICIENT_DATA",
            {},
            {"insufficient_data_stops": True},
            ErrorCode.ALARM_ACTIVE,
            id="insufficient data, the other reading",
        ),
        pytest.param(None, {}, {}, ErrorCode.ALARM_ACTIVE, id="no such alarm"),
        pytest.param(
            None,
            {},
            {"missing_alarm_is_poll_failure": False},
            None,
            id="no such alarm, the other reading",
        ),
        pytest.param(
            None, {"ignores_poll_failure": True}, {}, None, id="no such alarm, ignored"
        ),
        pytest.param(
            "ALARM",
            {"ignores_poll_failure": True},
            {},
            ErrorCode.ALARM_ACTIVE,
            id="an alarm is not ignored",
        ),
        pytest.param("ALARM", {"alarms": ()}, {}, None, id="not enabled"),
    ],
)
def test_what_stops_a_deployment(state, changes, assumptions, code):
    """Only ALARM and a status that cannot be read do, unless that is ignored."""
    simulation, submitted = follow(
        state, assumptions=Assumptions(**assumptions), **changes
    )

    simulation.run()

    error = simulation.deployment(submitted).error
    assert code == (error and error.code)


@pytest.mark.parametrize("ignores", [False, True])
def test_cloudwatch_that_refuses(ignores):
    """A look that fails stops the deployment, unless poll failures are ignored."""
    simulation, submitted = follow(ignores_poll_failure=ignores)
    simulation.world.refuses = (PollAlarms,)

    simulation.run()

    wanted = DeploymentStatus.SUCCEEDED if ignores else DeploymentStatus.STOPPED
    assert wanted is simulation.deployment(submitted).status


def test_every_alarm_that_is_active_is_named():
    """Two of three alarms: both are in the message, in the group's order."""
    simulation, submitted = follow(alarms=("a", "b", "c"))
    simulation.world.alarms = {"a": "ALARM", "b": "OK", "c": "ALARM"}

    simulation.run()

    assert simulation.deployment(submitted).error.message.endswith("<a> <c>")


def test_a_rollback_does_not_follow_the_alarm():
    """The alarm stays in ALARM, and the rollback Succeeds all the same."""
    simulation, submitted = follow(shift=CANARY)
    simulation.run(until=green_has(simulation, 10.0))
    simulation.world.alarms[ALARM] = "ALARM"

    simulation.run()

    assert "ALARM" == simulation.world.alarms[ALARM]
    assert_back_on_blue(simulation, submitted)


@pytest.mark.parametrize("is_by_alarm", [True, False])
def test_a_stop_while_blue_is_ended_does_not_go_back_to_it(is_by_alarm):
    """Blue's last tasks are being ended: production stays on green."""
    simulation, submitted = follow()
    failure_stop = StopRequested(
        failure=None, cause=AutoRollbackEvent.STOP_ON_REQUEST, rolls_back=True
    )

    def interfere(deployment, effect):
        if isinstance(effect, DeleteTaskSet) and is_by_alarm:
            simulation.world.alarms[ALARM] = "ALARM"
        elif isinstance(effect, DeleteTaskSet):
            simulation.engine.signal(deployment.id, failure_stop)

    simulation.world.on_effect = interfere
    simulation.run()

    assert simulation.deployment(submitted).rollback_id is None
    assert (100.0, {TaskSetLabel.GREEN}) == (
        simulation.world.green_weight,
        simulation.world.task_sets,
    )
