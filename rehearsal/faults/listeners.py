"""A test listener whose change takes effect late on some connections."""

from __future__ import annotations

import time
from collections.abc import Callable

from rehearsal.data_plane import ListenerSettings
from rehearsal.data_plane.http_message import RequestHead
from rehearsal.data_plane.routing import Decision, Routing
from rehearsal.data_plane.target_group import TargetGroup
from rehearsal.faults.file import StaleListenerFile


class StaleRouting:
    """Uses the previous routing on some connections for a limited time.

    Args:
        configured: how long, and for which percentage of connections.
        before: the previous routing.
        after: the new routing.
    """

    def __init__(
        self, configured: StaleListenerFile, before: Routing, after: Routing
    ) -> None:
        self._until = time.monotonic() + configured.seconds
        self._share = configured.connections / 100
        self._before = before
        self.after = after

    def decide(self, request: RequestHead, peer: str, bucket: float = 0.0) -> Decision:
        """What to do with a request."""
        return self._routing(bucket).decide(request, peer, bucket)

    def decide_connection(self, bucket: float = 0.0) -> TargetGroup | None:
        """The target group of a TCP or TLS connection."""
        return self._routing(bucket).decide_connection(bucket)

    def _routing(self, bucket: float) -> Routing:
        is_stale = bucket < self._share and time.monotonic() < self._until
        return self._before if is_stale else self.after


class StaleListeners:
    """A route override that delays the next change of a test listener.

    Args:
        configured: returns the fault of a listener's ARN now, if there is one.
    """

    def __init__(self, configured: Callable[[str], StaleListenerFile | None]) -> None:
        self._configured = configured

    def __call__(
        self, settings: ListenerSettings, before: Routing | None, after: Routing
    ) -> Routing:
        """The routing that the listener uses from now on."""
        configured = self._configured(settings.arn)
        if before is None or configured is None:
            return after
        previous = before.after if isinstance(before, StaleRouting) else before
        return StaleRouting(configured, previous, after)
