"""The state machine: a deployment and a signal make the next deployment and effects."""

from __future__ import annotations

from dataclasses import replace

from rehearsal.codedeploy.model.deployment import (
    AutoRollbackEvent,
    Deployment,
    DeploymentStatus,
    ErrorCode,
    EventName,
    EventStatus,
    Failure,
    Order,
    ShiftStep,
    TaskSetLabel,
    begin_event,
    end_event,
)
from rehearsal.codedeploy.model.signals import (
    AlarmsPolled,
    Begun,
    DeleteTaskSet,
    Effect,
    PollAlarms,
    PollDue,
    Refused,
    Signal,
    StopRequested,
    TimePassed,
    learn,
)
from rehearsal.codedeploy.model.steps import (
    EffectStep,
    HookStep,
    InstallStep,
    Move,
    ProductionTrafficStep,
    ReadyWaitStep,
    Step,
    TerminationWaitStep,
    primary,
    survey,
    termination,
    test_traffic,
)
from rehearsal.codedeploy.settings import Assumptions, EngineSettings

ALARM = "ALARM"

INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


def poll(deployment: Deployment) -> tuple[Effect, ...]:
    """Look at the alarms, if there are any."""
    names = deployment.order.alarms
    return (PollAlarms(names=names),) if names else ()


def stop_for(
    deployment: Deployment, signal: AlarmsPolled | Refused, assumptions: Assumptions
) -> StopRequested | None:
    """What the alarms ask for: to stop, or nothing.

    Args:
        deployment: Whose alarms they are.
        signal: How they stand, or why nobody knows.
        assumptions: What is unverified about CodeDeploy.
    """
    failure: Failure | None
    if isinstance(signal, Refused):
        failure = signal.failure
    else:
        active = _active(deployment, signal, assumptions)
        if active:
            return _stop(_activated(active))
        failure = _missing(deployment, signal, assumptions)
    if failure is None or deployment.order.ignores_poll_failure:
        return None
    return _stop(failure)


def _active(
    deployment: Deployment, polled: AlarmsPolled, assumptions: Assumptions
) -> list[str]:
    stopping = {ALARM}
    if assumptions.insufficient_data_stops:
        stopping.add(INSUFFICIENT_DATA)
    names = deployment.order.alarms
    return [name for name in names if polled.states.get(name) in stopping]


def _activated(names: list[str]) -> Failure:
    """The message is as captured from AWS."""
    told = " ".join(f"<{name}>" for name in names)
    message = (
        "One or more alarms have been activated according to the Amazon CloudWatch "
        "metrics you selected, and the affected deployments have been stopped. "
        f"Activated alarms: {told}"
    )
    return Failure(code=ErrorCode.ALARM_ACTIVE, message=message)


def _missing(
    deployment: Deployment, polled: AlarmsPolled, assumptions: Assumptions
) -> Failure | None:
    missing = [name for name in deployment.order.alarms if name not in polled.states]
    if not missing or not assumptions.missing_alarm_is_poll_failure:
        return None
    told = " ".join(f"<{name}>" for name in missing)
    message = (
        "The status of one or more alarms cannot be retrieved from Amazon CloudWatch. "
        f"There are no alarms of these names: {told}"
    )
    return Failure(code=assumptions.alarm_poll_failure_code, message=message)


def _stop(failure: Failure) -> StopRequested:
    return StopRequested(failure=failure, cause=AutoRollbackEvent.STOP_ON_ALARM)


BACK_TO_BLUE = (ShiftStep(weight=0.0),)


def script(order: Order, assumptions: Assumptions) -> tuple[Step, ...]:
    """Every step of a deployment, the eight lifecycle events in their order."""
    is_rollback = order.rollback_of is not None
    keeper = TaskSetLabel.BLUE if is_rollback else TaskSetLabel.GREEN
    leaver = TaskSetLabel.GREEN if is_rollback else TaskSetLabel.BLUE
    steps: list[Step] = [survey()]
    for name in EventName:
        if name is assumptions.ready_wait_before and order.waits.ready is not None:
            steps.append(ReadyWaitStep(order.waits.ready))
        steps.append(_step(name, order, keeper))
        if name is assumptions.primary_after:
            steps.append(primary(keeper))
    steps.append(TerminationWaitStep(order.waits.termination))
    if not order.waits.keep_blue:
        steps.append(termination(leaver))
    return tuple(steps)


def _step(name: EventName, order: Order, keeper: TaskSetLabel) -> Step:
    match name:
        case EventName.INSTALL:
            return InstallStep()
        case EventName.ALLOW_TEST_TRAFFIC:
            return test_traffic(keeper)
        case EventName.ALLOW_TRAFFIC:
            is_back = keeper is TaskSetLabel.BLUE
            return ProductionTrafficStep(BACK_TO_BLUE if is_back else order.shift)
        case _:
            return HookStep(name)


def stopped(
    deployment: Deployment, stop: StopRequested, now: float, settings: EngineSettings
) -> Deployment:
    """Stop it, and roll it back where the stop or else the group says so."""
    by_group = stop.cause in deployment.order.rolls_back_on
    rolls_back = by_group if stop.rolls_back is None else stop.rolls_back
    over = ended(deployment, DeploymentStatus.STOPPED, stop.failure, now)
    return with_rollback(over, deployment, rolls_back, settings)


def ended(
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


def with_rollback(
    over: Deployment, before: Deployment, rolls_back: bool, settings: EngineSettings
) -> Deployment:
    """Ask for a rollback, where one is wanted and there is something to roll back."""
    is_installed = before.event(EventName.INSTALL).status is not EventStatus.PENDING
    is_possible = is_installed or settings.assumptions.rollback_from_before_install
    is_rollback = over.order.rollback_of is not None
    has_blue = over.blue is not None and not is_terminating(before, settings)
    wants = rolls_back and is_possible and has_blue and not is_rollback
    return replace(over, wants_rollback=wants)


def is_terminating(deployment: Deployment, settings: EngineSettings) -> bool:
    """Whether the original is being deleted: then there is nothing to go back to.

    Nor is there when the deletion was refused, since it may have been done all the
    same; green serves, and a rollback could only take that away.
    """
    steps = script(deployment.order, settings.assumptions)
    step = steps[deployment.step] if deployment.step >= 0 else None
    return isinstance(step, EffectStep) and isinstance(step.effect, DeleteTaskSet)


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
