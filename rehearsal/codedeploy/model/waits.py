"""The steps in which time alone passes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rehearsal.codedeploy.model.deployment import Deployment, Failure
from rehearsal.codedeploy.model.signals import Continued, Signal, TimePassed
from rehearsal.codedeploy.model.step import Move
from rehearsal.codedeploy.model.vocabulary import (
    DeploymentStatus,
    ErrorCode,
    EventName,
    EventStatus,
    WaitType,
)
from rehearsal.codedeploy.settings import EngineSettings


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
