"""A test listener whose change has not come through everywhere."""

from __future__ import annotations

import time
from collections.abc import Callable

from rehearsal.data_plane import ListenerSettings
from rehearsal.data_plane.message import RequestHead
from rehearsal.data_plane.routing import Decision, Routing
from rehearsal.data_plane.target_group import TargetGroup
from rehearsal.faults.file import StaleListenerFile


class Stale:
    """Decides as before on some connections, and for a while.

    Args:
        ordered: how long, and on how many.
        before: what decided before.
        after: what decides from now on.
    """

    def __init__(
        self, ordered: StaleListenerFile, before: Routing, after: Routing
    ) -> None:
        self._until = time.monotonic() + ordered.seconds
        self._share = ordered.connections / 100
        self._before = before
        self.after = after

    def decide(self, request: RequestHead, peer: str, luck: float = 0.0) -> Decision:
        """What is to be done with a request."""
        return self._routing(luck).decide(request, peer, luck)

    def decide_connection(self, luck: float = 0.0) -> TargetGroup | None:
        """The target group of a connection that is not looked into."""
        return self._routing(luck).decide_connection(luck)

    def _routing(self, luck: float) -> Routing:
        is_stale = luck < self._share and time.monotonic() < self._until
        return self._before if is_stale else self.after


class StaleListeners:
    """The detour that makes a test listener's next change a slow one.

    Args:
        ordered: tells what is ordered for a listener's ARN now, if anything.
    """

    def __init__(self, ordered: Callable[[str], StaleListenerFile | None]) -> None:
        self._ordered = ordered

    def __call__(
        self, settings: ListenerSettings, before: Routing | None, after: Routing
    ) -> Routing:
        """What decides for the listener from now on."""
        ordered = self._ordered(settings.arn)
        if before is None or ordered is None:
            return after
        was = before.after if isinstance(before, Stale) else before
        return Stale(ordered, was, after)
