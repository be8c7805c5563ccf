"""The state machine: a deployment and a signal make the next deployment and effects."""

from __future__ import annotations

from dataclasses import replace

from rehearsal.codedeploy.model.alarms import poll, stop_for
from rehearsal.codedeploy.model.deployment import (
    Deployment,
    Failure,
    begin_event,
    end_event,
)
from rehearsal.codedeploy.model.effect_step import EffectStep
from rehearsal.codedeploy.model.effects import DeleteTaskSet, Effect, PollAlarms
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
            return _stop(deployment, signal, now, settings), ()
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
    ended = _end(move.deployment, status, move.failure, now)
    return _with_rollback(ended, move.deployment, rolls_back, settings), tuple(effects)


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
    if _is_terminating(deployment, settings):
        return deployment
    stop = stop_for(deployment, signal, settings.assumptions)
    if stop is not None:
        return _stop(deployment, stop, now, settings)
    return replace(deployment, poll_at=now + settings.alarm_poll_interval)


def _stop(
    deployment: Deployment, stop: StopRequested, now: float, settings: EngineSettings
) -> Deployment:
    by_group = stop.cause in deployment.order.rolls_back_on
    rolls_back = by_group if stop.rolls_back is None else stop.rolls_back
    ended = _end(deployment, DeploymentStatus.STOPPED, stop.failure, now)
    return _with_rollback(ended, deployment, rolls_back, settings)


def _end(
    deployment: Deployment, status: DeploymentStatus, failure: Failure, now: float
) -> Deployment:
    """Fail the event in progress, skip the later ones, and be over."""
    running = deployment.running_event
    if running is not None:
        deployment = end_event(
            deployment, running.name, EventStatus.FAILED, now, failure
        )
    events = tuple(
        replace(event, status=EventStatus.SKIPPED)
        if event.status is EventStatus.PENDING
        else event
        for event in deployment.events
    )
    has_succeeded = deployment.target_status is EventStatus.SUCCEEDED
    return replace(
        deployment,
        status=status,
        error=failure,
        events=events,
        wake_at=None,
        poll_at=None,
        completed_at=now,
        updated_at=now,
        target_status=EventStatus.SUCCEEDED if has_succeeded else EventStatus.FAILED,
    )


def _with_rollback(
    ended: Deployment, before: Deployment, rolls_back: bool, settings: EngineSettings
) -> Deployment:
    """Ask for a rollback, where one is wanted and there is something to roll back."""
    is_installed = before.event(EventName.INSTALL).status is not EventStatus.PENDING
    is_possible = is_installed or settings.assumptions.rollback_from_before_install
    is_rollback = ended.order.rollback_of is not None
    has_blue = ended.blue is not None and not _is_terminating(before, settings)
    wants = rolls_back and is_possible and has_blue and not is_rollback
    return replace(ended, wants_rollback=wants)


def _is_terminating(deployment: Deployment, settings: EngineSettings) -> bool:
    """Whether the original is being deleted: then there is nothing to go back to.

    Nor is there when the deletion was refused, since it may have been done all the
    same; green serves, and a rollback could only take that away.
    """
    steps = script(deployment.order, settings.assumptions)
    step = steps[deployment.step] if deployment.step >= 0 else None
    return isinstance(step, EffectStep) and isinstance(step.effect, DeleteTaskSet)
