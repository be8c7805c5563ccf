"""The Install event: the replacement task set is made and becomes steady."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rehearsal.codedeploy.model.deployment import Deployment, Failure
from rehearsal.codedeploy.model.effects import (
    ClearTargetGroup,
    CreateTaskSet,
    Effect,
    InvokeHook,
    ObserveTaskSet,
    RouteProductionTraffic,
)
from rehearsal.codedeploy.model.signals import (
    Refused,
    Signal,
    TaskSetCreated,
    TaskSetObserved,
    TimePassed,
)
from rehearsal.codedeploy.model.step import Move
from rehearsal.codedeploy.model.vocabulary import EventName, LifecycleErrorCode
from rehearsal.codedeploy.settings import HOUR, EngineSettings


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
