"""The steps that move traffic: the test listener, the production listener, PRIMARY."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rehearsal.codedeploy.model.deployment import Deployment
from rehearsal.codedeploy.model.effects import (
    MakePrimary,
    RouteProductionTraffic,
    RouteTestTraffic,
)
from rehearsal.codedeploy.model.order import ShiftStep
from rehearsal.codedeploy.model.signals import Done, Refused, Signal, TimePassed
from rehearsal.codedeploy.model.step import Move
from rehearsal.codedeploy.model.vocabulary import EventName, TaskSetLabel
from rehearsal.codedeploy.settings import EngineSettings


@dataclass(frozen=True, slots=True)
class TestTrafficStep:
    """Lets the test listener forward to green; a rollback, to blue."""

    to: TaskSetLabel
    event: EventName = EventName.ALLOW_TEST_TRAFFIC

    def enter(
        self,
        deployment: Deployment,
        now: float,  # noqa: ARG002 - the same for every step
        settings: EngineSettings,  # noqa: ARG002 - the same for every step
    ) -> Move:
        """Reroute, where there is a test listener."""
        if deployment.order.routes.test is None:
            return Move(deployment=deployment, finished=True)
        return Move(deployment=deployment, effects=(RouteTestTraffic(to=self.to),))

    def on(
        self,
        deployment: Deployment,
        signal: Signal,
        now: float,  # noqa: ARG002 - the same for every step
        settings: EngineSettings,  # noqa: ARG002 - the same for every step
    ) -> Move:
        """Finish once the listener was changed."""
        match signal:
            case Done(effect=RouteTestTraffic()):
                return Move(deployment=deployment, finished=True)
            case Refused():
                return Move(deployment=deployment, failure=signal.failure)
        return Move(deployment=deployment)


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
            case Refused():
                return Move(deployment=deployment, failure=signal.failure)
        return Move(deployment=deployment)

    def _shift(self, deployment: Deployment) -> Move:
        weight = self.schedule[deployment.progress].weight
        effect = RouteProductionTraffic(green_weight=weight)
        return Move(deployment=deployment, effects=(effect,))


@dataclass(frozen=True, slots=True)
class PrimaryStep:
    """Makes the task set that serves production PRIMARY."""

    label: TaskSetLabel
    event: EventName | None = None

    def enter(
        self,
        deployment: Deployment,
        now: float,  # noqa: ARG002 - the same for every step
        settings: EngineSettings,  # noqa: ARG002 - the same for every step
    ) -> Move:
        """Ask ECS, unless it is PRIMARY already."""
        task_set = deployment.task_set(self.label)
        if task_set is None or task_set.status == "PRIMARY":
            return Move(deployment=deployment, finished=True)
        return Move(deployment=deployment, effects=(MakePrimary(label=self.label),))

    def on(
        self,
        deployment: Deployment,
        signal: Signal,
        now: float,  # noqa: ARG002 - the same for every step
        settings: EngineSettings,  # noqa: ARG002 - the same for every step
    ) -> Move:
        """Finish once ECS has done it."""
        match signal:
            case Done(effect=MakePrimary()):
                return Move(deployment=deployment, finished=True)
            case Refused():
                return Move(deployment=deployment, failure=signal.failure)
        return Move(deployment=deployment)
