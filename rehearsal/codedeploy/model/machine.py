"""The state machine: a deployment and a signal give the next deployment and effects."""

from __future__ import annotations

from dataclasses import replace

from hookgate_rehearsal.codedeploy.model.deployment import (
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
from hookgate_rehearsal.codedeploy.model.signals import (
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
from hookgate_rehearsal.codedeploy.model.steps import (
    DeploymentStep,
    EffectStep,
    HookStep,
    InstallStep,
    Moment,
    Move,
    ProductionTrafficStep,
    ReadyWaitStep,
    TerminationWaitStep,
    primary,
    survey,
    termination,
    test_traffic,
)
from hookgate_rehearsal.codedeploy.settings import Assumptions, EngineSettings

ALARM = "ALARM"
BACK_TO_BLUE = (ShiftStep(weight=0.0),)

INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


Advanced = tuple[Deployment, tuple[Effect, ...]]


def advance(
    deployment: Deployment, signal: Signal, now: float, settings: EngineSettings
) -> Advanced:
    """Advance a deployment by one signal.

    Args:
        deployment: The deployment.
        signal: What happened.
        now: Epoch seconds.
        settings: The engine's times and assumptions.

    Returns:
        The new deployment, and the effects to carry out, in order.
    """
    deployment = learn(deployment, signal)
    if deployment.is_over:
        return deployment, ()
    match signal:
        case StopRequested():
            return stopped(deployment, signal, now, settings), ()
        case PollDue():
            return replace(deployment, poll_at=None), _poll(deployment)
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
        move = Move(deployment=started, effects=_poll(started), finished=True)
    else:
        move = steps[deployment.step].on(Moment(deployment, now, settings), signal)
    return _settle(move, steps, now, settings)


def _settle(
    move: Move, steps: tuple[DeploymentStep, ...], now: float, settings: EngineSettings
) -> Advanced:
    """Go through finished steps until one waits, fails or is the last."""
    effects = list(move.effects)
    while move.finished:
        deployment = _leave(move.deployment, steps, now, settings)
        if deployment.is_over:
            return deployment, tuple(effects)
        step = steps[deployment.step]
        if step.event is not None:
            deployment = begin_event(deployment, step.event, now)
        move = step.enter(Moment(deployment, now, settings))
        effects.extend(move.effects)
    if move.failure is None:
        return move.deployment, tuple(effects)
    status = DeploymentStatus.STOPPED if move.stops else DeploymentStatus.FAILED
    rolls_back = AutoRollbackEvent.FAILURE in move.deployment.order.rolls_back_on
    over = ended(move.deployment, status, move.failure, now)
    return with_rollback(over, move.deployment, rolls_back, settings), tuple(effects)


def _leave(
    deployment: Deployment,
    steps: tuple[DeploymentStep, ...],
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
    step: DeploymentStep, deployment: Deployment, settings: EngineSettings
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
    """Stop, or schedule the next poll; not while the original is being deleted."""
    if is_terminating(deployment, settings):
        return deployment
    stop = _stop_for(deployment, signal, settings.assumptions)
    if stop is not None:
        return stopped(deployment, stop, now, settings)
    return replace(deployment, poll_at=now + settings.alarm_poll_interval)


def _poll(deployment: Deployment) -> tuple[Effect, ...]:
    names = deployment.order.alarms
    return (PollAlarms(names=names),) if names else ()


def _stop_for(
    deployment: Deployment, signal: AlarmsPolled | Refused, assumptions: Assumptions
) -> StopRequested | None:
    """Decide whether the alarms stop a deployment.

    Args:
        deployment: The deployment.
        signal: The states of its alarms, or why they are unknown.
        assumptions: What is unverified about CodeDeploy.
    """
    names = deployment.order.alarms
    failure: Failure | None = None
    if isinstance(signal, Refused):
        failure = signal.failure
    else:
        stopping = {ALARM}
        if assumptions.insufficient_data_stops:
            stopping.add(INSUFFICIENT_DATA)
        states = signal.states
        active = [f"<{name}>" for name in names if states.get(name) in stopping]
        if active:  # the message is as captured from AWS
            failure = Failure(
                code=ErrorCode.ALARM_ACTIVE,
                message="One or more alarms have been activated according to the Amazon"
                " CloudWatch metrics you selected, and the affected deployments have "
                f"been stopped. Activated alarms: {' '.join(active)}",
            )
            return StopRequested(failure=failure, cause=AutoRollbackEvent.STOP_ON_ALARM)
        missing = [f"<{name}>" for name in names if name not in states]
        if missing and assumptions.missing_alarm_is_poll_failure:
            failure = Failure(
                code=assumptions.alarm_poll_failure_code,
                message="The status of one or more alarms cannot be retrieved from "
                f"Amazon CloudWatch. These alarms do not exist: {' '.join(missing)}",
            )
    if failure is None or deployment.order.ignores_poll_failure:
        return None
    return StopRequested(failure=failure, cause=AutoRollbackEvent.STOP_ON_ALARM)


def script(order: Order, assumptions: Assumptions) -> tuple[DeploymentStep, ...]:
    """List every step of a deployment, with the eight lifecycle events in order."""
    is_rollback = order.rollback_of is not None
    keeper = TaskSetLabel.BLUE if is_rollback else TaskSetLabel.GREEN
    leaver = TaskSetLabel.GREEN if is_rollback else TaskSetLabel.BLUE
    steps: list[DeploymentStep] = [survey()]
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


def _step(name: EventName, order: Order, keeper: TaskSetLabel) -> DeploymentStep:
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
    """Stop a deployment, and roll it back if the stop or else the group requires it."""
    by_group = stop.cause in deployment.order.rolls_back_on
    rolls_back = by_group if stop.rolls_back is None else stop.rolls_back
    over = ended(deployment, DeploymentStatus.STOPPED, stop.failure, now)
    return with_rollback(over, deployment, rolls_back, settings)


def ended(
    deployment: Deployment, status: DeploymentStatus, failure: Failure, now: float
) -> Deployment:
    """Fail the event in progress, skip the later ones and end the deployment."""
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
    """Request a rollback, if one is wanted and there is something to roll back."""
    is_installed = before.event(EventName.INSTALL).status is not EventStatus.PENDING
    is_possible = is_installed or settings.assumptions.rollback_from_before_install
    is_rollback = over.order.rollback_of is not None
    has_blue = over.blue is not None and not is_terminating(before, settings)
    wants = rolls_back and is_possible and has_blue and not is_rollback
    return replace(over, wants_rollback=wants)


def is_terminating(deployment: Deployment, settings: EngineSettings) -> bool:
    """Whether the original is being deleted, so that a rollback is impossible.

    A refused deletion may have taken effect nevertheless; the replacement serves, and a
    rollback could only take that away.
    """
    steps = script(deployment.order, settings.assumptions)
    step = steps[deployment.step] if deployment.step >= 0 else None
    return isinstance(step, EffectStep) and isinstance(step.effect, DeleteTaskSet)
