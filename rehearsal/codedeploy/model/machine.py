"""The state machine: a deployment and a signal make the next deployment and effects."""

from __future__ import annotations

from dataclasses import replace

from rehearsal.codedeploy.model.alarms import poll, stop_for
from rehearsal.codedeploy.model.deployment import Deployment, begin_event, end_event
from rehearsal.codedeploy.model.effects import Effect, PollAlarms
from rehearsal.codedeploy.model.ending import (
    ended,
    is_terminating,
    stopped,
    with_rollback,
)
from rehearsal.codedeploy.model.knowledge import learn
from rehearsal.codedeploy.model.script import script
from rehearsal.codedeploy.model.signals import (
    AlarmsPolled,
    Begun,
    PollDue,
    Refused,
    Signal,
    StopRequested,
    TimePassed,
)
from rehearsal.codedeploy.model.step import Move, Step
from rehearsal.codedeploy.model.vocabulary import (
    AutoRollbackEvent,
    DeploymentStatus,
    EventName,
    EventStatus,
)
from rehearsal.codedeploy.settings import EngineSettings

Advanced = tuple[Deployment, tuple[Effect, ...]]


def advance(
    deployment: Deployment, signal: Signal, now: float, settings: EngineSettings
) -> Advanced:
    """Move a deployment by one signal.

    Args:
        deployment: As it stands.
        signal: What happened.
        now: Epoch seconds.
        settings: The engine's times and assumptions.

    Returns:
        The deployment as it then stands, and what must be done in the world, in order.
    """
    deployment = learn(deployment, signal)
    if deployment.is_over:
        return deployment, ()
    match signal:
        case StopRequested():
            return stopped(deployment, signal, now, settings), ()
        case PollDue():
            return replace(deployment, poll_at=None), poll(deployment)
        case AlarmsPolled() | Refused(effect=PollAlarms()):
            return _follow_alarms(deployment, signal, now, settings), ()
        case Begun():
            queued = replace(
                deployment, status=DeploymentStatus.QUEUED, wake_at=now, updated_at=now
            )
            return queued, ()
    steps = script(deployment.order, settings.assumptions)
    if deployment.step < 0:
        if not isinstance(signal, TimePassed):
            return deployment, ()
        started = replace(
            deployment,
            status=DeploymentStatus.IN_PROGRESS,
            target_status=EventStatus.IN_PROGRESS,
            started_at=now,
        )
        move = Move(deployment=started, effects=poll(started), finished=True)
    else:
        move = steps[deployment.step].on(deployment, signal, now, settings)
    return _settle(move, steps, now, settings)


def _settle(
    move: Move, steps: tuple[Step, ...], now: float, settings: EngineSettings
) -> Advanced:
    """Walk on through finished steps until one waits, fails or is the last."""
    effects = list(move.effects)
    while move.finished:
        deployment = _leave(move.deployment, steps, now, settings)
        if deployment.is_over:
            return deployment, tuple(effects)
        step = steps[deployment.step]
        if step.event is not None:
            deployment = begin_event(deployment, step.event, now)
        move = step.enter(deployment, now, settings)
        effects.extend(move.effects)
    if move.failure is None:
        return move.deployment, tuple(effects)
    status = DeploymentStatus.STOPPED if move.stops else DeploymentStatus.FAILED
    rolls_back = AutoRollbackEvent.FAILURE in move.deployment.order.rolls_back_on
    over = ended(move.deployment, status, move.failure, now)
    return with_rollback(over, move.deployment, rolls_back, settings), tuple(effects)


def _leave(
    deployment: Deployment,
    steps: tuple[Step, ...],
    now: float,
    settings: EngineSettings,
) -> Deployment:
    """End the current step's event and go to the next step, or to the end."""
    if deployment.step >= 0:
        step = steps[deployment.step]
        if step.event is not None:
            status = _status_of_success(step, deployment, settings)
            deployment = end_event(deployment, step.event, status, now)
    following = deployment.step + 1
    deployment = replace(deployment, step=following, progress=0, wake_at=None)
    if following < len(steps):
        return deployment
    return replace(
        deployment,
        status=DeploymentStatus.SUCCEEDED,
        poll_at=None,
        completed_at=now,
        updated_at=now,
    )


def _status_of_success(
    step: Step, deployment: Deployment, settings: EngineSettings
) -> EventStatus:
    is_test_traffic = step.event is EventName.ALLOW_TEST_TRAFFIC
    if is_test_traffic and deployment.order.routes.test is None:
        return settings.assumptions.without_test_listener
    return EventStatus.SUCCEEDED


def _follow_alarms(
    deployment: Deployment,
    signal: AlarmsPolled | Refused,
    now: float,
    settings: EngineSettings,
) -> Deployment:
    """Stop, or look again later; while blue is being ended it is too late for both."""
    if is_terminating(deployment, settings):
        return deployment
    stop = stop_for(deployment, signal, settings.assumptions)
    if stop is not None:
        return stopped(deployment, stop, now, settings)
    return replace(deployment, poll_at=now + settings.alarm_poll_interval)
