"""A step that is one effect: the survey, a reroute, PRIMARY, a task set deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rehearsal.codedeploy.model.deployment import Deployment
from rehearsal.codedeploy.model.effects import (
    DeleteTaskSet,
    Effect,
    MakePrimary,
    RouteTestTraffic,
    Survey,
)
from rehearsal.codedeploy.model.signals import Done, Refused, Signal, Surveyed
from rehearsal.codedeploy.model.step import Move
from rehearsal.codedeploy.model.vocabulary import EventName, TaskSetLabel
from rehearsal.codedeploy.settings import EngineSettings


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
