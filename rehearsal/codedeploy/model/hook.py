"""A lifecycle event at which a function of the AppSpec decides."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rehearsal.codedeploy.model.deployment import (
    Deployment,
    Failure,
    hook_begun,
)
from rehearsal.codedeploy.model.effects import InvokeHook
from rehearsal.codedeploy.model.signals import Refused, Reported, Signal, TimePassed
from rehearsal.codedeploy.model.step import Move
from rehearsal.codedeploy.model.vocabulary import (
    ErrorCode,
    EventName,
    LifecycleErrorCode,
)
from rehearsal.codedeploy.settings import HOUR, EngineSettings


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
