"""The state machine: a deployment and a signal give the next deployment and effects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hookgate_rehearsal.codedeploy.model.deployment import (
    AutoRollbackEvent,
    Deployment,
    DeploymentStatus,
    ErrorCode,
    EventName,
    EventStatus,
    Failure,
    LifecycleErrorCode,
    Order,
    ShiftStep,
    TaskSetLabel,
    WaitType,
)
from hookgate_rehearsal.codedeploy.model.signals import (
    AlarmsPolled,
    Begun,
    ClearTargetGroup,
    Continued,
    CreateTaskSet,
    DeleteTaskSet,
    Done,
    Effect,
    InvokeHook,
    MakePrimary,
    ObserveTaskSet,
    PollAlarms,
    PollDue,
    Refused,
    Reported,
    RouteProductionTraffic,
    RouteTestTraffic,
    Signal,
    StopRequested,
    Survey,
    Surveyed,
    TaskSetCreated,
    TaskSetObserved,
    TimePassed,
    learn,
)
from hookgate_rehearsal.codedeploy.settings import HOUR, Assumptions, EngineSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The result of a signal.

    Attributes:
        finished: The step is over and the next one begins.
        failure: The step, and with it the deployment, failed.
        stops: The failure ends the deployment as Stopped instead of Failed.
    """

    deployment: Deployment
    effects: tuple[Effect, ...] = ()
    finished: bool = False
    failure: Failure | None = None
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """A deployment at a time, in epoch seconds; makes the moves from there."""

    deployment: Deployment
    now: float
    settings: EngineSettings

    @property
    def steps(self) -> tuple[DeploymentStep, ...]:
        """Every step of the deployment."""
        return _script(self.deployment.order, self.settings.assumptions)

    def wait(self, *effects: Effect, **changes: Any) -> Move:
        """Stay in the step, request effects and change the deployment."""
        return Move(deployment=replace(self.deployment, **changes), effects=effects)

    def finish(self, **changes: Any) -> Move:
        """Change the deployment and go to the next step."""
        return Move(deployment=replace(self.deployment, **changes), finished=True)

    def fail(
        self,
        code: ErrorCode,
        message: str,
        diagnosis: LifecycleErrorCode = LifecycleErrorCode.UNKNOWN_ERROR,
    ) -> Move:
        """Fail the deployment."""
        return self.refuse(Failure(code=code, message=message, diagnosis=diagnosis))

    def refuse(self, failure: Failure) -> Move:
        """Fail the deployment because of a refused effect."""
        return Move(deployment=self.deployment, failure=failure)


class DeploymentStep:
    """A step; ``event`` is the lifecycle event that is InProgress during it, if any.

    This one has nothing to do and reacts to no signal. A refused effect fails every
    step.
    """

    event: EventName | None = None

    def enter(self, at: Moment) -> Move:
        """Begin; a step with nothing to do finishes at once."""
        return at.finish()

    def on(self, at: Moment, signal: Signal) -> Move:  # noqa: ARG002 - for subclasses
        """React to a signal; one that does not concern the step changes nothing."""
        return at.wait()


@dataclass(frozen=True)
class EffectStep(DeploymentStep):
    """Requests an effect, if the deployment needs it, and finishes once it is done.

    The result of another effect, such as a hook's invocation that returned after the
    hook's report, changes nothing.
    """

    effect: Effect
    needed: Callable[[Deployment], bool]
    event: EventName | None = None

    def enter(self, at: Moment) -> Move:
        """Request the effect."""
        return at.wait(self.effect) if self.needed(at.deployment) else at.finish()

    def on(self, at: Moment, signal: Signal) -> Move:
        """Finish once it is done."""
        match signal:
            case Done(effect=self.effect) | Surveyed(effect=self.effect):
                return at.finish()
        return at.wait()


@dataclass(frozen=True)
class HookStep(DeploymentStep):
    """Invokes the event's function and waits for its report; without one, finishes."""

    event: EventName

    def enter(self, at: Moment) -> Move:
        """Invoke the function, if the AppSpec names one."""
        order = at.deployment.order
        function = order.app_spec.hooks.get(self.event)
        skips = order.rollback_of and not at.settings.assumptions.rollback_runs_hooks
        if function is None or skips:
            return at.finish()
        invoke = InvokeHook(
            event=self.event,
            function=function,
            execution_id=at.deployment.execution_id(self.event),
        )
        deployment = at.deployment.with_event(
            self.event, at.now, execution_id=invoke.execution_id
        )
        begun = replace(at, deployment=deployment)
        return begun.wait(invoke, wake_at=at.now + at.settings.hook_timeout)

    def on(self, at: Moment, signal: Signal) -> Move:
        """Handle the report or the timeout."""
        function = at.deployment.order.app_spec.hooks.get(self.event)
        hook = f"At {self.event} the function {function}"
        match signal:
            case Reported(execution_id=given) if given == at.deployment.execution_id(
                self.event
            ):
                if signal.succeeded:
                    return at.finish()
                return at.fail(
                    ErrorCode.HOOK_EXECUTION_FAILURE,
                    "The deployment failed because one or more of the "
                    "lifecycle event validation functions failed. "
                    f"{hook} reported Failed.",
                    LifecycleErrorCode.SCRIPT_FAILED,
                )
            case TimePassed():
                timeout = _period(at.settings.hook_timeout, "one hour")
                return at.fail(
                    at.settings.assumptions.hook_timeout_code,
                    "The deployment timed out while waiting for a status "
                    "callback. CodeDeploy expects a status callback within "
                    f"{timeout} after a deployment hook is invoked. {hook} did not "
                    "report.",
                    LifecycleErrorCode.SCRIPT_TIMED_OUT,
                )
        return at.wait()


@dataclass(frozen=True)
class InstallStep(DeploymentStep):
    """Creates the replacement and waits until ECS reports it steady."""

    event: EventName = EventName.INSTALL

    def enter(self, at: Moment) -> Move:
        """Create the replacement; a rollback installs nothing."""
        if at.deployment.order.rollback_of:
            return at.finish()
        clears = at.settings.assumptions.install_clears_target_group
        first: tuple[Effect, ...] = (ClearTargetGroup(),) if clears else ()
        return at.wait(*first, CreateTaskSet())

    def on(self, at: Moment, signal: Signal) -> Move:
        """Observe the replacement until it is steady or the timeout."""
        match signal:
            case TaskSetCreated():
                attaches = (
                    at.deployment.order.is_gradual
                    or at.settings.assumptions.attach_replacement_in_install
                )
                if attaches:
                    return at.wait(
                        RouteProductionTraffic(green_weight=0.0), ObserveTaskSet()
                    )
                return at.wait(ObserveTaskSet())
            case TaskSetObserved(is_steady=True):
                return at.finish()
            case TaskSetObserved():
                return self._wait_for(at, signal)
            case TimePassed():
                return at.wait(ObserveTaskSet(), wake_at=None)
        return at.wait()

    def _wait_for(self, at: Moment, seen: TaskSetObserved) -> Move:
        assumptions = at.settings.assumptions
        limit = assumptions.install_fails_after_stopped_tasks
        if limit is not None and seen.stopped >= limit:
            return at.fail(
                assumptions.install_stopped_tasks_code,
                "The replacement task set does not become steady: "
                f"{seen.stopped} of its tasks have stopped. The last: "
                f"{seen.reason}",
            )
        timeout = at.settings.install_timeout
        end = (at.deployment.event(self.event).started_at or at.now) + timeout
        if at.now < end:
            return at.wait(wake_at=min(at.now + at.settings.poll_interval, end))
        reason = f" The last stopped task: {seen.reason}" if seen.reason else ""
        return at.fail(
            assumptions.install_timeout_code,
            "The deployment timed out while waiting for the replacement "
            "task set to become healthy. This time out period is "
            f"{_period(timeout, '60 minutes')}. {seen.running} of {seen.desired} "
            f"tasks run.{reason}",
            LifecycleErrorCode.SCRIPT_TIMED_OUT,
        )


def _period(seconds: float, an_hour: str) -> str:
    return an_hour if seconds == HOUR else f"{seconds:g} seconds"


@dataclass(frozen=True)
class ProductionTrafficStep(DeploymentStep):
    """Shifts production traffic along a schedule; ``progress`` is the place in it."""

    schedule: tuple[ShiftStep, ...]
    event: EventName = EventName.ALLOW_TRAFFIC

    def enter(self, at: Moment) -> Move:
        """Take the first step of the schedule."""
        return at.wait(self._shift(at))

    def on(self, at: Moment, signal: Signal) -> Move:
        """Wait for each interval and then take the next step."""
        match signal:
            case Done(effect=RouteProductionTraffic()):
                following = at.deployment.progress + 1
                if following == len(self.schedule):
                    return at.finish()
                wait = self.schedule[following].after * at.settings.minute
                return at.wait(progress=following, wake_at=at.now + wait)
            case TimePassed():
                return at.wait(self._shift(at), wake_at=None)
        return at.wait()

    def _shift(self, at: Moment) -> RouteProductionTraffic:
        weight = self.schedule[at.deployment.progress].weight
        return RouteProductionTraffic(green_weight=weight)


@dataclass(frozen=True)
class ReadyWaitStep(DeploymentStep):
    """Keeps the deployment Ready until ContinueDeployment; stops it at the timeout."""

    minutes: float

    def enter(self, at: Moment) -> Move:
        """Become Ready."""
        return at.wait(
            status=DeploymentStatus.READY,
            target_status=EventStatus.READY,
            wake_at=at.now + self.minutes * at.settings.minute,
        )

    def on(self, at: Moment, signal: Signal) -> Move:
        """Continue, or stop at the timeout."""
        match signal:
            case Continued(wait=WaitType.READY):
                return at.finish(
                    status=DeploymentStatus.IN_PROGRESS,
                    target_status=EventStatus.IN_PROGRESS,
                )
            case TimePassed():
                failed = at.fail(
                    ErrorCode.TIMEOUT,
                    "The deployment timed out while waiting for a notification to "
                    f"continue. This time out period is {self.minutes:g} minutes.",
                )
                return replace(failed, stops=True)
        return at.wait()


@dataclass(frozen=True)
class TerminationWaitStep(DeploymentStep):
    """Marks the target Succeeded; the original stays until the wait is over."""

    minutes: float

    def enter(self, at: Moment) -> Move:
        """Mark the target Succeeded and start the wait."""
        succeeded = replace(
            at.deployment, target_status=EventStatus.SUCCEEDED, updated_at=at.now
        )
        at = replace(at, deployment=succeeded)
        if self.minutes <= 0:
            return at.finish()
        return at.wait(wake_at=at.now + self.minutes * at.settings.minute)

    def on(self, at: Moment, signal: Signal) -> Move:
        """Finish after the wait, or when it is ended early."""
        match signal:
            case TimePassed() | Continued(wait=WaitType.TERMINATION):
                return at.finish()
        return at.wait()


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
    at = Moment(deployment, now, settings)
    match signal:
        case StopRequested():
            return _stopped(at, signal), ()
        case PollDue():
            return replace(deployment, poll_at=None), _poll(deployment)
        case AlarmsPolled() | Refused(effect=PollAlarms()):
            return _follow_alarms(at, signal), ()
        case Begun():
            queued = replace(
                deployment, status=DeploymentStatus.QUEUED, wake_at=now, updated_at=now
            )
            return queued, ()
        case Refused(effect=InvokeHook(event=name)) if not deployment.is_running(name):
            return deployment, ()  # it reported before its invocation returned
        case Refused():
            return _settle(at.refuse(signal.failure), at)
    if deployment.step >= 0:
        return _settle(at.steps[deployment.step].on(at, signal), at)
    if not isinstance(signal, TimePassed):
        return deployment, ()
    started = at.finish(
        status=DeploymentStatus.IN_PROGRESS,
        target_status=EventStatus.IN_PROGRESS,
        started_at=now,
    )
    return _settle(replace(started, effects=_poll(deployment)), at)


def _settle(move: Move, at: Moment) -> Advanced:
    """Go through finished steps until one waits, fails or is the last."""
    effects = list(move.effects)
    while move.finished:
        at = replace(at, deployment=move.deployment)
        deployment = _leave(at)
        if deployment.is_over:
            return deployment, tuple(effects)
        step = at.steps[deployment.step]
        if step.event is not None:
            deployment = deployment.with_event(
                step.event, at.now, status=EventStatus.IN_PROGRESS, started_at=at.now
            )
        move = step.enter(replace(at, deployment=deployment))
        effects.extend(move.effects)
    if move.failure is None:
        return move.deployment, tuple(effects)
    status = DeploymentStatus.STOPPED if move.stops else DeploymentStatus.FAILED
    rolls_back = AutoRollbackEvent.FAILURE in move.deployment.order.rolls_back_on
    at = replace(at, deployment=move.deployment)
    return _ended(at, status, move.failure, rolls_back), tuple(effects)


def _leave(at: Moment) -> Deployment:
    """End the current step's event and go to the next step, or to the end."""
    deployment, steps = at.deployment, at.steps
    event = steps[deployment.step].event if deployment.step >= 0 else None
    if event is not None:
        status = EventStatus.SUCCEEDED
        has_test_listener = deployment.order.routes.test is not None
        if event is EventName.ALLOW_TEST_TRAFFIC and not has_test_listener:
            status = at.settings.assumptions.without_test_listener
        deployment = deployment.end_event(event, status, at.now)
    following = deployment.step + 1
    deployment = replace(deployment, step=following, progress=0, wake_at=None)
    if following < len(steps):
        return deployment
    return replace(
        deployment,
        status=DeploymentStatus.SUCCEEDED,
        poll_at=None,
        completed_at=at.now,
        updated_at=at.now,
    )


def _follow_alarms(at: Moment, signal: AlarmsPolled | Refused) -> Deployment:
    """Stop, or schedule the next poll; not while the original is being deleted."""
    if _is_terminating(at):
        return at.deployment
    stop = _stop_for(at.deployment, signal, at.settings.assumptions)
    if stop is not None:
        return _stopped(at, stop)
    return replace(at.deployment, poll_at=at.now + at.settings.alarm_poll_interval)


def _poll(deployment: Deployment) -> tuple[Effect, ...]:
    names = deployment.order.alarms
    return (PollAlarms(names=names),) if names else ()


def _stop_for(
    deployment: Deployment, signal: AlarmsPolled | Refused, assumptions: Assumptions
) -> StopRequested | None:
    """Decide whether the alarms, or that their states are unknown, stop it."""
    names, failure = deployment.order.alarms, None
    states = {} if isinstance(signal, Refused) else signal.states
    stopping = {ALARM}
    if assumptions.insufficient_data_stops:
        stopping.add(INSUFFICIENT_DATA)
    active = [f"<{name}>" for name in names if states.get(name) in stopping]
    missing = [f"<{name}>" for name in names if name not in states]
    if active:  # the message is as captured from AWS
        failure = Failure(
            code=ErrorCode.ALARM_ACTIVE,
            message="One or more alarms have been activated according to the Amazon"
            " CloudWatch metrics you selected, and the affected deployments have "
            f"been stopped. Activated alarms: {' '.join(active)}",
        )
    elif deployment.order.ignores_poll_failure:
        return None
    elif isinstance(signal, Refused):
        failure = signal.failure
    elif missing and assumptions.missing_alarm_is_poll_failure:
        failure = Failure(
            code=assumptions.alarm_poll_failure_code,
            message="The status of one or more alarms cannot be retrieved from "
            f"Amazon CloudWatch. These alarms do not exist: {' '.join(missing)}",
        )
    if failure is None:
        return None
    return StopRequested(failure=failure, cause=AutoRollbackEvent.STOP_ON_ALARM)


def _script(order: Order, assumptions: Assumptions) -> tuple[DeploymentStep, ...]:
    """List every step of a deployment, with the eight lifecycle events in order."""
    is_rollback = order.rollback_of is not None
    keeper = TaskSetLabel.BLUE if is_rollback else TaskSetLabel.GREEN
    leaver = TaskSetLabel.GREEN if is_rollback else TaskSetLabel.BLUE
    steps: list[DeploymentStep] = [
        EffectStep(Survey(), lambda deployment: deployment.order.rollback_of is None)
    ]
    for name in EventName:
        if name is assumptions.ready_wait_before and order.waits.ready is not None:
            steps.append(ReadyWaitStep(order.waits.ready))
        steps.append(_step(name, order, keeper))
        if name is assumptions.primary_after:
            steps.append(_on_task_set(MakePrimary(label=keeper)))
    steps.append(TerminationWaitStep(order.waits.termination))
    if not order.waits.keep_blue:
        steps.append(_on_task_set(DeleteTaskSet(label=leaver)))
    return tuple(steps)


def _on_task_set(effect: MakePrimary | DeleteTaskSet) -> EffectStep:
    """An effect on a task set, if that was created."""
    return EffectStep(effect, lambda each: each.task_set(effect.label) is not None)


def _step(name: EventName, order: Order, keeper: TaskSetLabel) -> DeploymentStep:
    match name:
        case EventName.INSTALL:
            return InstallStep()
        case EventName.ALLOW_TEST_TRAFFIC:
            return EffectStep(
                RouteTestTraffic(to=keeper),
                lambda deployment: deployment.order.routes.test is not None,
                name,
            )
        case EventName.ALLOW_TRAFFIC:
            is_back = keeper is TaskSetLabel.BLUE
            return ProductionTrafficStep(BACK_TO_BLUE if is_back else order.shift)
        case _:
            return HookStep(name)


def _stopped(at: Moment, stop: StopRequested) -> Deployment:
    """Stop a deployment, and roll it back if the stop or else the group requires it."""
    by_group = stop.cause in at.deployment.order.rolls_back_on
    rolls_back = by_group if stop.rolls_back is None else stop.rolls_back
    return _ended(at, DeploymentStatus.STOPPED, stop.failure, rolls_back)


def _ended(
    at: Moment, status: DeploymentStatus, failure: Failure, rolls_back: bool
) -> Deployment:
    """Fail the event in progress, skip the later ones and end the deployment.

    A rollback is requested if it is wanted and there is something to roll back.
    """
    before = deployment = at.deployment
    is_installed = before.event(EventName.INSTALL).status is not EventStatus.PENDING
    is_possible = is_installed or at.settings.assumptions.rollback_from_before_install
    is_rollback = before.order.rollback_of is not None
    has_blue = before.blue is not None and not _is_terminating(at)
    if before.running_event is not None:
        name = before.running_event.name
        deployment = before.end_event(name, EventStatus.FAILED, at.now, failure)
    events = tuple(
        replace(event, status=EventStatus.SKIPPED)
        if event.status is EventStatus.PENDING
        else event
        for event in deployment.events
    )
    has_succeeded = before.target_status is EventStatus.SUCCEEDED
    return replace(
        deployment,
        status=status,
        error=failure,
        events=events,
        wake_at=None,
        poll_at=None,
        completed_at=at.now,
        updated_at=at.now,
        target_status=EventStatus.SUCCEEDED if has_succeeded else EventStatus.FAILED,
        wants_rollback=rolls_back and is_possible and has_blue and not is_rollback,
    )


def _is_terminating(at: Moment) -> bool:
    """Whether the original is being deleted, so that a rollback is impossible.

    A refused deletion may have taken effect nevertheless; the replacement serves, and a
    rollback could only take that away.
    """
    step = at.steps[at.deployment.step] if at.deployment.step >= 0 else None
    return isinstance(step, EffectStep) and isinstance(step.effect, DeleteTaskSet)
