"""The steps of a deployment: how each begins and how it reacts to signals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hookgate_rehearsal.codedeploy.model.deployment import (
    Deployment,
    DeploymentStatus,
    ErrorCode,
    EventName,
    EventStatus,
    Failure,
    LifecycleErrorCode,
    ShiftStep,
    TaskSetLabel,
    WaitType,
    hook_begun,
)
from hookgate_rehearsal.codedeploy.model.signals import (
    ClearTargetGroup,
    Continued,
    CreateTaskSet,
    DeleteTaskSet,
    Done,
    Effect,
    InvokeHook,
    MakePrimary,
    ObserveTaskSet,
    Refused,
    Reported,
    RouteProductionTraffic,
    RouteTestTraffic,
    Signal,
    Survey,
    Surveyed,
    TaskSetCreated,
    TaskSetObserved,
    TimePassed,
)
from hookgate_rehearsal.codedeploy.settings import HOUR, EngineSettings


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

    def wait(self, *effects: Effect, **changes: Any) -> Move:
        """Stay in the step, request effects and change the deployment."""
        return Move(deployment=replace(self.deployment, **changes), effects=effects)

    def finish(self, **changes: Any) -> Move:
        """Change the deployment and go to the next step."""
        return Move(deployment=replace(self.deployment, **changes), finished=True)

    def fail(self, failure: Failure, *, stops: bool = False) -> Move:
        """Fail the deployment, or stop it."""
        return Move(deployment=self.deployment, failure=failure, stops=stops)


class DeploymentStep:
    """A step; ``event`` is the lifecycle event that is InProgress during it, if any.

    This one has nothing to do and reacts to no signal.
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
        """Finish once it is done; a refusal fails the deployment."""
        match signal:
            case Done(effect=self.effect) | Surveyed(effect=self.effect):
                return at.finish()
            case Refused(effect=self.effect):
                return at.fail(signal.failure)
        return at.wait()


def survey() -> EffectStep:
    """Find the original before anything changes; a rollback inherits it."""
    return EffectStep(Survey(), lambda deployment: deployment.order.rollback_of is None)


def test_traffic(to: TaskSetLabel) -> EffectStep:
    """Forward the test listener, if there is one, to a task set."""
    return EffectStep(
        RouteTestTraffic(to=to),
        lambda deployment: deployment.order.routes.test is not None,
        EventName.ALLOW_TEST_TRAFFIC,
    )


def primary(label: TaskSetLabel) -> EffectStep:
    """Make the task set that serves production PRIMARY."""
    return EffectStep(
        MakePrimary(label=label),
        lambda deployment: deployment.task_set(label) is not None,
    )


def termination(label: TaskSetLabel) -> EffectStep:
    """Drain and delete the other task set, if it was created."""
    return EffectStep(
        DeleteTaskSet(label=label),
        lambda deployment: deployment.task_set(label) is not None,
    )


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
        begun = replace(at, deployment=hook_begun(at.deployment, self.event))
        return begun.wait(invoke, wake_at=at.now + at.settings.hook_timeout)

    def on(self, at: Moment, signal: Signal) -> Move:
        """Handle the report, a refused invocation or the timeout."""
        function = at.deployment.order.app_spec.hooks.get(self.event)
        hook = f"At {self.event} the function {function}"
        match signal:
            case Reported(execution_id=given) if given == at.deployment.execution_id(
                self.event
            ):
                if signal.succeeded:
                    return at.finish()
                return at.fail(
                    Failure(
                        code=ErrorCode.HOOK_EXECUTION_FAILURE,
                        message="The deployment failed because one or more of the "
                        "lifecycle event validation functions failed. "
                        f"{hook} reported Failed.",
                        diagnosis=LifecycleErrorCode.SCRIPT_FAILED,
                    )
                )
            case Refused(effect=InvokeHook(event=self.event)):
                return at.fail(signal.failure)
            case TimePassed():
                timeout = _period(at.settings.hook_timeout, "one hour")
                return at.fail(
                    Failure(
                        code=at.settings.assumptions.hook_timeout_code,
                        message="The deployment timed out while waiting for a status "
                        "callback. CodeDeploy expects a status callback within "
                        f"{timeout} after a deployment hook is invoked. {hook} did not "
                        "report.",
                        diagnosis=LifecycleErrorCode.SCRIPT_TIMED_OUT,
                    )
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
            case Refused(effect=effect) if not isinstance(effect, InvokeHook):
                return at.fail(signal.failure)
        return at.wait()

    def _wait_for(self, at: Moment, seen: TaskSetObserved) -> Move:
        assumptions = at.settings.assumptions
        limit = assumptions.install_fails_after_stopped_tasks
        if limit is not None and seen.stopped >= limit:
            return at.fail(
                Failure(
                    code=assumptions.install_stopped_tasks_code,
                    message="The replacement task set does not become steady: "
                    f"{seen.stopped} of its tasks have stopped. The last: "
                    f"{seen.reason}",
                )
            )
        timeout = at.settings.install_timeout
        end = (at.deployment.event(self.event).started_at or at.now) + timeout
        if at.now < end:
            return at.wait(wake_at=min(at.now + at.settings.poll_interval, end))
        reason = f" The last stopped task: {seen.reason}" if seen.reason else ""
        return at.fail(
            Failure(
                code=assumptions.install_timeout_code,
                message="The deployment timed out while waiting for the replacement "
                "task set to become healthy. This time out period is "
                f"{_period(timeout, '60 minutes')}. {seen.running} of {seen.desired} "
                f"tasks run.{reason}",
                diagnosis=LifecycleErrorCode.SCRIPT_TIMED_OUT,
            )
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
            case Refused(effect=RouteProductionTraffic()):
                return at.fail(signal.failure)
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
                failure = Failure(
                    code=ErrorCode.TIMEOUT,
                    message="The deployment timed out while waiting for a notification "
                    f"to continue. This time out period is {self.minutes:g} minutes.",
                )
                return at.fail(failure, stops=True)
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
