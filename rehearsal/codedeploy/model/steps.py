"""One step of a deployment: how it is entered and what it makes of signals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from rehearsal.codedeploy.model.deployment import (
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
from rehearsal.codedeploy.model.signals import (
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
from rehearsal.codedeploy.settings import HOUR, EngineSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What a step made of a signal.

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


class Step(Protocol):
    """One step; ``event`` is the lifecycle event it stands for, if any."""

    @property
    def event(self) -> EventName | None:
        """The lifecycle event that is InProgress during the step."""
        ...

    def enter(
        self, deployment: Deployment, now: float, settings: EngineSettings
    ) -> Move:
        """Begin; a step with nothing to do finishes at once."""
        ...

    def on(
        self,
        deployment: Deployment,
        signal: Signal,
        now: float,
        settings: EngineSettings,
    ) -> Move:
        """Take a signal; one that does not concern the step changes nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectStep:
    """Asks for an effect, if the deployment needs it, and finishes once it is done.

    What is heard of another effect, such as a hook's invocation whose answer came after
    the hook's report, changes nothing.
    """

    effect: Effect
    needed: Callable[[Deployment], bool]
    event: EventName | None = None

    def enter(
        self,
        deployment: Deployment,
        now: float,  # noqa: ARG002 - the same for every step
        settings: EngineSettings,  # noqa: ARG002 - the same for every step
    ) -> Move:
        """Ask for it."""
        if self.needed(deployment):
            return Move(deployment=deployment, effects=(self.effect,))
        return Move(deployment=deployment, finished=True)

    def on(
        self,
        deployment: Deployment,
        signal: Signal,
        now: float,  # noqa: ARG002 - the same for every step
        settings: EngineSettings,  # noqa: ARG002 - the same for every step
    ) -> Move:
        """Finish once it is done; what is refused fails the deployment."""
        match signal:
            case Done(effect=self.effect) | Surveyed(effect=self.effect):
                return Move(deployment=deployment, finished=True)
            case Refused(effect=self.effect):
                return Move(deployment=deployment, failure=signal.failure)
        return Move(deployment=deployment)


def survey() -> EffectStep:
    """Find out who is blue before anything is touched; a rollback inherited it."""
    return EffectStep(
        effect=Survey(), needed=lambda deployment: deployment.order.rollback_of is None
    )


def test_traffic(to: TaskSetLabel) -> EffectStep:
    """Let the test listener, where there is one, forward to green; a rollback, to blue.

    Args:
        to: Who is to answer there.
    """
    return EffectStep(
        effect=RouteTestTraffic(to=to),
        needed=lambda deployment: deployment.order.routes.test is not None,
        event=EventName.ALLOW_TEST_TRAFFIC,
    )


def primary(label: TaskSetLabel) -> EffectStep:
    """Call the task set that serves production PRIMARY.

    Args:
        label: Who serves it.
    """
    return EffectStep(
        effect=MakePrimary(label=label),
        needed=lambda deployment: deployment.task_set(label) is not None,
    )


def termination(label: TaskSetLabel) -> EffectStep:
    """Drain and delete the task set that is no longer wanted, if it was ever made.

    Args:
        label: Who leaves.
    """
    return EffectStep(
        effect=DeleteTaskSet(label=label),
        needed=lambda deployment: deployment.task_set(label) is not None,
    )


@dataclass(frozen=True, slots=True)
class HookStep:
    """Calls the event's function and waits for its report; without one, goes on."""

    event: EventName

    def enter(
        self, deployment: Deployment, now: float, settings: EngineSettings
    ) -> Move:
        """Invoke the function, if the AppSpec names one."""
        order = deployment.order
        function = order.app_spec.hooks.get(self.event)
        is_quiet = order.rollback_of and not settings.assumptions.rollback_runs_hooks
        if function is None or is_quiet:
            return Move(deployment=deployment, finished=True)
        begun = replace(
            hook_begun(deployment, self.event), wake_at=now + settings.hook_timeout
        )
        invoke = InvokeHook(
            event=self.event,
            function=function,
            execution_id=deployment.execution_id(self.event),
        )
        return Move(deployment=begun, effects=(invoke,))

    def on(
        self,
        deployment: Deployment,
        signal: Signal,
        now: float,  # noqa: ARG002 - the same for every step
        settings: EngineSettings,
    ) -> Move:
        """Take the report, the refusal to invoke, or the end of patience."""
        match signal:
            case Reported(execution_id=given) if given == deployment.execution_id(
                self.event
            ):
                return self._reported(deployment, signal.succeeded)
            case Refused(effect=InvokeHook(event=self.event)):
                return self._failed(deployment, signal.failure)
            case TimePassed():
                return self._timed_out(deployment, settings)
        return Move(deployment=deployment)

    def _reported(self, deployment: Deployment, succeeded: bool) -> Move:
        if succeeded:
            return Move(deployment=deployment, finished=True)
        failure = Failure(
            code=ErrorCode.HOOK_EXECUTION_FAILURE,
            message="The deployment failed because one or more of the lifecycle event "
            f"validation functions failed. {self._who(deployment)} reported Failed.",
            diagnosis=LifecycleErrorCode.SCRIPT_FAILED,
        )
        return self._failed(deployment, failure)

    def _timed_out(self, deployment: Deployment, settings: EngineSettings) -> Move:
        patience = (
            "one hour"
            if settings.hook_timeout == HOUR
            else f"{settings.hook_timeout:g} seconds"
        )
        failure = Failure(
            code=settings.assumptions.hook_timeout_code,
            message="The deployment timed out while waiting for a status callback. "
            f"CodeDeploy expects a status callback within {patience} after a deployment"
            f" hook is invoked. {self._who(deployment)} did not report.",
            diagnosis=LifecycleErrorCode.SCRIPT_TIMED_OUT,
        )
        return self._failed(deployment, failure)

    def _failed(self, deployment: Deployment, failure: Failure) -> Move:
        return Move(deployment=deployment, failure=failure)

    def _who(self, deployment: Deployment) -> str:
        function = deployment.order.app_spec.hooks.get(self.event)
        return f"At {self.event} the function {function}"


@dataclass(frozen=True, slots=True)
class InstallStep:
    """Makes green and waits until ECS calls it steady."""

    event: EventName = EventName.INSTALL

    def enter(
        self,
        deployment: Deployment,
        now: float,  # noqa: ARG002 - the same for every step
        settings: EngineSettings,
    ) -> Move:
        """Ask ECS for the replacement task set; a rollback installs nothing."""
        if deployment.order.rollback_of:
            return Move(deployment=deployment, finished=True)
        clears = settings.assumptions.install_clears_target_group
        first: tuple[Effect, ...] = (ClearTargetGroup(),) if clears else ()
        return Move(deployment=deployment, effects=(*first, CreateTaskSet()))

    def on(
        self,
        deployment: Deployment,
        signal: Signal,
        now: float,
        settings: EngineSettings,
    ) -> Move:
        """Look again and again, until it is steady or patience ends."""
        match signal:
            case TaskSetCreated():
                return Move(
                    deployment=deployment, effects=self._after(deployment, settings)
                )
            case TaskSetObserved(is_steady=True):
                return Move(deployment=deployment, finished=True)
            case TaskSetObserved():
                return self._waiting(deployment, signal, now, settings)
            case TimePassed():
                return Move(
                    deployment=replace(deployment, wake_at=None),
                    effects=(ObserveTaskSet(),),
                )
            case Refused(effect=effect) if not isinstance(effect, InvokeHook):
                return Move(deployment=deployment, failure=signal.failure)
        return Move(deployment=deployment)

    def _after(
        self, deployment: Deployment, settings: EngineSettings
    ) -> tuple[Effect, ...]:
        attaches = (
            deployment.order.is_gradual
            or settings.assumptions.attach_replacement_in_install
        )
        if attaches:
            return (RouteProductionTraffic(green_weight=0.0), ObserveTaskSet())
        return (ObserveTaskSet(),)

    def _waiting(
        self,
        deployment: Deployment,
        seen: TaskSetObserved,
        now: float,
        settings: EngineSettings,
    ) -> Move:
        assumptions = settings.assumptions
        limit = assumptions.install_fails_after_stopped_tasks
        if limit is not None and seen.stopped >= limit:
            failure = Failure(
                code=assumptions.install_stopped_tasks_code,
                message="The replacement task set does not become steady: "
                f"{seen.stopped} of its tasks have stopped. The last: {seen.reason}",
            )
            return Move(deployment=deployment, failure=failure)
        started = deployment.event(self.event).started_at or now
        if now >= started + settings.install_timeout:
            failure = _timed_out(seen, settings)
            return Move(deployment=deployment, failure=failure)
        wake_at = min(now + settings.poll_interval, started + settings.install_timeout)
        return Move(deployment=replace(deployment, wake_at=wake_at))


def _timed_out(seen: TaskSetObserved, settings: EngineSettings) -> Failure:
    period = (
        "60 minutes"
        if settings.install_timeout == HOUR
        else f"{settings.install_timeout:g} seconds"
    )
    reason = f" The last stopped task: {seen.reason}" if seen.reason else ""
    return Failure(
        code=settings.assumptions.install_timeout_code,
        message="The deployment timed out while waiting for the replacement task set to"
        f" become healthy. This time out period is {period}. {seen.running} of"
        f" {seen.desired} tasks run.{reason}",
        diagnosis=LifecycleErrorCode.SCRIPT_TIMED_OUT,
    )


@dataclass(frozen=True, slots=True)
class ProductionTrafficStep:
    """Shifts production traffic along a schedule; ``progress`` is the place in it."""

    schedule: tuple[ShiftStep, ...]
    event: EventName = EventName.ALLOW_TRAFFIC

    def enter(
        self,
        deployment: Deployment,
        now: float,  # noqa: ARG002 - the same for every step
        settings: EngineSettings,  # noqa: ARG002 - the same for every step
    ) -> Move:
        """Take the first step of the schedule."""
        return self._shift(deployment)

    def on(
        self,
        deployment: Deployment,
        signal: Signal,
        now: float,
        settings: EngineSettings,
    ) -> Move:
        """Wait out each interval and take the next step after it."""
        match signal:
            case Done(effect=RouteProductionTraffic()):
                following = deployment.progress + 1
                if following == len(self.schedule):
                    return Move(deployment=deployment, finished=True)
                wait = self.schedule[following].after * settings.minute
                waiting = replace(deployment, progress=following, wake_at=now + wait)
                return Move(deployment=waiting)
            case TimePassed():
                return self._shift(replace(deployment, wake_at=None))
            case Refused(effect=RouteProductionTraffic()):
                return Move(deployment=deployment, failure=signal.failure)
        return Move(deployment=deployment)

    def _shift(self, deployment: Deployment) -> Move:
        weight = self.schedule[deployment.progress].weight
        effect = RouteProductionTraffic(green_weight=weight)
        return Move(deployment=deployment, effects=(effect,))


@dataclass(frozen=True, slots=True)
class ReadyWaitStep:
    """Holds the deployment Ready until ContinueDeployment, or stops it."""

    minutes: float
    event: EventName | None = None

    def enter(
        self, deployment: Deployment, now: float, settings: EngineSettings
    ) -> Move:
        """Become Ready."""
        wake_at = now + self.minutes * settings.minute
        ready = replace(
            deployment,
            status=DeploymentStatus.READY,
            target_status=EventStatus.READY,
            wake_at=wake_at,
        )
        return Move(deployment=ready)

    def on(
        self,
        deployment: Deployment,
        signal: Signal,
        now: float,  # noqa: ARG002 - the same for every step
        settings: EngineSettings,  # noqa: ARG002 - the same for every step
    ) -> Move:
        """Go on when told to; stop when nobody does in time."""
        match signal:
            case Continued(wait=WaitType.READY):
                going_on = replace(
                    deployment,
                    status=DeploymentStatus.IN_PROGRESS,
                    target_status=EventStatus.IN_PROGRESS,
                )
                return Move(deployment=going_on, finished=True)
            case TimePassed():
                failure = Failure(
                    code=ErrorCode.TIMEOUT,
                    message="The deployment timed out while waiting for a notification "
                    f"to continue. This time out period is {self.minutes:g} minutes.",
                )
                return Move(deployment=deployment, failure=failure, stops=True)
        return Move(deployment=deployment)


@dataclass(frozen=True, slots=True)
class TerminationWaitStep:
    """The target has Succeeded; blue stays until the wait is over."""

    minutes: float
    event: EventName | None = None

    def enter(
        self, deployment: Deployment, now: float, settings: EngineSettings
    ) -> Move:
        """Mark the target Succeeded and begin to wait."""
        succeeded = replace(
            deployment, target_status=EventStatus.SUCCEEDED, updated_at=now
        )
        if self.minutes <= 0:
            return Move(deployment=succeeded, finished=True)
        wake_at = now + self.minutes * settings.minute
        return Move(deployment=replace(succeeded, wake_at=wake_at))

    def on(
        self,
        deployment: Deployment,
        signal: Signal,
        now: float,  # noqa: ARG002 - the same for every step
        settings: EngineSettings,  # noqa: ARG002 - the same for every step
    ) -> Move:
        """Go on after the wait, or when told not to wait."""
        match signal:
            case TimePassed() | Continued(wait=WaitType.TERMINATION):
                return Move(deployment=deployment, finished=True)
        return Move(deployment=deployment)
