"""Deployments that follow alarms, on a virtual clock."""

import pytest
from support.virtual_world import HOOKS, SILENT, Play, VirtualWorld

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
    """A play with a deployment that follows one alarm; returns both."""
    world = VirtualWorld(answers=answers or {}, alarms={ALARM: state} if state else {})
    settings = EngineSettings(assumptions=assumptions or Assumptions())
    played = Play(world=world, settings=settings)
    usual = {"alarms": (ALARM,), "rolls_back_on": ON_ALARM}
    return played, played.submit(**usual | changes)


def in_event(played, submitted, name):
    event = played.deployment(submitted).event(name)
    return lambda: (
        played.deployment(submitted).event(event.name).status is EventStatus.IN_PROGRESS
    )


def green_has(played, weight):
    return lambda: played.world.green_weight == weight


def assert_back_on_blue(played, submitted):
    deployment = played.deployment(submitted)
    rollback = played.deployment(deployment.rollback_id)
    world = played.world
    assert DeploymentStatus.SUCCEEDED is rollback.status
    assert (0.0, TaskSetLabel.BLUE) == (world.green_weight, world.test_listener)
    assert (TaskSetLabel.BLUE, {TaskSetLabel.BLUE}) == (world.primary, world.task_sets)


def assert_stopped(played, submitted, code=ErrorCode.ALARM_ACTIVE):
    deployment = played.deployment(submitted)
    assert (DeploymentStatus.STOPPED, code) == (
        deployment.status,
        deployment.error.code,
    )
    return deployment


def test_alarms_that_stay_well_change_nothing():
    """The deployment Succeeds, and its alarms were looked at all the time."""
    played, submitted = follow(waits=Waits(termination=10.0))
    seen = []
    played.world.on_effect = lambda _, effect: seen.append(type(effect))

    played.run()

    assert DeploymentStatus.SUCCEEDED is played.deployment(submitted).status
    assert 120 == seen.count(PollAlarms) - 1  # 600 s, every 5 s, and once at the start


def test_an_alarm_at_the_start_stops_the_deployment_at_once():
    """Nothing is installed, no hook runs, and there is nothing to roll back."""
    played, submitted = follow("ALARM")

    played.run()

    deployment = assert_stopped(played, submitted)
    assert f"Activated alarms: <{ALARM}>" in deployment.error.message
    assert (None, []) == (deployment.rollback_id, played.world.invoked)
    assert {TaskSetLabel.BLUE} == played.world.task_sets
    assert [EventStatus.SKIPPED] * 8 == [event.status for event in deployment.events]


@pytest.mark.parametrize("event", list(HOOKS)[1:])
def test_an_alarm_during_a_running_hook(event):
    """The hook's event Fails, the later ones are Skipped, blue has everything back."""
    played, submitted = follow(answers={event: SILENT})
    played.run(until=lambda: event in played.world.invoked)

    played.world.alarms[ALARM] = "ALARM"
    played.run()

    deployment = assert_stopped(played, submitted)
    assert EventStatus.FAILED is deployment.event(event).status
    assert ALARM in deployment.event(event).message
    assert_back_on_blue(played, submitted)


def test_an_alarm_while_canary_weights_are_out():
    """Ten percent of customers go back to blue within one look at the alarms."""
    played, submitted = follow(shift=CANARY)
    played.run(until=green_has(played, 10.0))
    began = played.clock.time

    played.world.alarms[ALARM] = "ALARM"
    played.run(until=green_has(played, 0.0))

    assert played.clock.time - began <= played.settings.alarm_poll_interval
    played.run()
    assert_stopped(played, submitted)
    assert_back_on_blue(played, submitted)


def test_an_alarm_during_the_ready_wait():
    """A deployment that is Ready is stopped as well."""
    played, submitted = follow(waits=Waits(ready=60.0))
    ready = DeploymentStatus.READY
    played.run(until=lambda: played.deployment(submitted).status is ready)

    played.world.alarms[ALARM] = "ALARM"
    played.run()

    assert_stopped(played, submitted)
    assert_back_on_blue(played, submitted)


def test_an_alarm_during_the_termination_wait():
    """All traffic is on green already; the target stays Succeeded, blue comes back."""
    played, submitted = follow(waits=Waits(termination=60.0))
    ended = EventName.AFTER_ALLOW_TRAFFIC
    played.run(
        until=lambda: (
            played.deployment(submitted).event(ended).status is EventStatus.SUCCEEDED
        )
    )

    played.world.alarms[ALARM] = "ALARM"
    played.run()

    deployment = assert_stopped(played, submitted)
    assert EventStatus.SUCCEEDED is deployment.target_status
    assert_back_on_blue(played, submitted)


def test_an_alarm_while_green_is_installed():
    """Install is stopped and what ECS made meanwhile is taken away again."""
    played, submitted = follow()
    played.world.is_steady = False
    played.run(until=in_event(played, submitted, EventName.INSTALL))

    played.world.alarms[ALARM] = "ALARM"
    played.run()

    assert EventStatus.FAILED is (
        assert_stopped(played, submitted).event(EventName.INSTALL).status
    )
    assert_back_on_blue(played, submitted)


@pytest.mark.parametrize("cause", [None, AutoRollbackEvent.FAILURE])
def test_a_group_that_does_not_roll_back_on_alarms_stays_as_it_is(cause):
    """The canary's weights stay out where only failures are rolled back."""
    events = frozenset({cause} if cause else ())
    played, submitted = follow(shift=CANARY, rolls_back_on=events)
    played.run(until=green_has(played, 10.0))

    played.world.alarms[ALARM] = "ALARM"
    played.run()

    assert assert_stopped(played, submitted).rollback_id is None
    assert 10.0 == played.world.green_weight


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
    played, submitted = follow(state, assumptions=Assumptions(**assumptions), **changes)

    played.run()

    error = played.deployment(submitted).error
    assert code == (error and error.code)


@pytest.mark.parametrize("ignores", [False, True])
def test_cloudwatch_that_refuses(ignores):
    """A look that fails stops the deployment, unless poll failures are ignored."""
    played, submitted = follow(ignores_poll_failure=ignores)
    played.world.refuses = (PollAlarms,)

    played.run()

    wanted = DeploymentStatus.SUCCEEDED if ignores else DeploymentStatus.STOPPED
    assert wanted is played.deployment(submitted).status


def test_every_alarm_that_is_active_is_named():
    """Two of three alarms: both are in the message, in the group's order."""
    played, submitted = follow(alarms=("a", "b", "c"))
    played.world.alarms = {"a": "ALARM", "b": "OK", "c": "ALARM"}

    played.run()

    assert played.deployment(submitted).error.message.endswith("<a> <c>")


def test_a_rollback_does_not_follow_the_alarm():
    """The alarm stays in ALARM, and the rollback Succeeds all the same."""
    played, submitted = follow(shift=CANARY)
    played.run(until=green_has(played, 10.0))
    played.world.alarms[ALARM] = "ALARM"

    played.run()

    assert "ALARM" == played.world.alarms[ALARM]
    assert_back_on_blue(played, submitted)


@pytest.mark.parametrize("is_by_alarm", [True, False])
def test_a_stop_while_blue_is_ended_does_not_go_back_to_it(is_by_alarm):
    """Blue's last tasks are being ended: production stays on green."""
    played, submitted = follow()
    failure_stop = StopRequested(
        failure=None, cause=AutoRollbackEvent.STOP_ON_REQUEST, rolls_back=True
    )

    def interfere(deployment, effect):
        if isinstance(effect, DeleteTaskSet) and is_by_alarm:
            played.world.alarms[ALARM] = "ALARM"
        elif isinstance(effect, DeleteTaskSet):
            played.engine.signal(deployment.id, failure_stop)

    played.world.on_effect = interfere
    played.run()

    assert played.deployment(submitted).rollback_id is None
    assert (100.0, {TaskSetLabel.GREEN}) == (
        played.world.green_weight,
        played.world.task_sets,
    )
