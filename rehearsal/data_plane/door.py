"""A door before a target, through which its requests and health checks come."""

from __future__ import annotations

from collections.abc import Callable

from rehearsal.data_plane.listener import Listener
from rehearsal.data_plane.observations import AccessRecord
from rehearsal.data_plane.routing import Routing
from rehearsal.data_plane.rules import Forward
from rehearsal.data_plane.settings import (
    ListenerSettings,
    Protocol,
    Target,
    TargetGroupSettings,
)
from rehearsal.data_plane.target_group import TargetGroup

#: Longer than any load balancer waits for a target, in seconds.
_PATIENCE = 4000.0

Doorkeeper = Callable[[TargetGroup], Routing]
"""Makes what decides for each request; the target alone is in the group."""


class Door:
    """A port of its own before a target, with somebody who decides who comes through.

    Args:
        target: what is behind it.
        doorkeeper: makes what decides for each request.
    """

    def __init__(self, target: Target, doorkeeper: Doorkeeper) -> None:
        arn = f"door:{target}"
        self._target = target
        self._group = TargetGroup(TargetGroupSettings(arn=arn, name=arn))
        self._group.register(target)
        settings = ListenerSettings(
            arn=arn,
            protocol=Protocol.HTTP,
            default_action=Forward(weights={}),
            idle_timeout=_PATIENCE,
            keeps_forwarded=True,
        )
        self._listener = Listener(settings, doorkeeper(self._group), _unheard)

    async def open(self, delay: float) -> Target:
        """Open after ``delay`` seconds; returns where it is."""
        await self._listener.open(self._target.id, delay)
        return Target(id=self._target.id, port=self._listener.settings.port)

    async def close(self) -> None:
        """Close every connection on both sides."""
        await self._listener.close()
        self._group.cut()

    @property
    def is_quiet(self) -> bool:
        """Whether no connection to the target is left."""
        return self._group.is_quiet


def _unheard(record: AccessRecord) -> None:
    """The load balancer has its own log of the same request."""
