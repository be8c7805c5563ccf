"""What the engine needs of the world: somebody who carries out its effects."""

from __future__ import annotations

from typing import Protocol

from rehearsal.codedeploy.model.deployment import Deployment
from rehearsal.codedeploy.model.effects import Effect
from rehearsal.codedeploy.model.signals import Signal


class World(Protocol):
    """Carries out effects, one after the other for each deployment."""

    def carry_out(self, deployment: Deployment, effect: Effect) -> Signal:
        """Do it and say what came of it; what AWS refuses is ``Refused``.

        Args:
            deployment: The deployment as it stood when the effect was due.
            effect: What to do.
        """
        ...
