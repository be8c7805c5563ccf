"""One step of a deployment: how it is entered and what it makes of signals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rehearsal.codedeploy.model.deployment import Deployment, Failure
from rehearsal.codedeploy.model.effects import Effect
from rehearsal.codedeploy.model.signals import Signal
from rehearsal.codedeploy.model.vocabulary import EventName
from rehearsal.codedeploy.settings import EngineSettings


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
