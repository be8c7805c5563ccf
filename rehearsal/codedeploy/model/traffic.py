"""The step that shifts production traffic."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rehearsal.codedeploy.model.deployment import Deployment
from rehearsal.codedeploy.model.effects import RouteProductionTraffic
from rehearsal.codedeploy.model.order import ShiftStep
from rehearsal.codedeploy.model.signals import Done, Refused, Signal, TimePassed
from rehearsal.codedeploy.model.step import Move
from rehearsal.codedeploy.model.vocabulary import EventName
from rehearsal.codedeploy.settings import EngineSettings


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
