"""What a client's connection needs from its listener, and what it reports back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from rehearsal.data_plane.routing import Routing
from rehearsal.data_plane.settings import ListenerSettings, Target

#: How long a load balancer waits for a target to accept a connection, in seconds.
CONNECT_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRecord:
    """One line of the access log.

    It is reported before the client has the last byte of the response. ``target`` is
    the chosen target and ``target_status`` the status of its response: ``None`` if
    there was no response, and ``error`` says why. A connection through a TCP or TLS
    listener is one record, reported when it ends, with method ``TCP`` and status 0.

    ``started`` is in monotonic seconds, ``started_at`` in seconds since the epoch; both
    are the time at which the request was routed. ``duration`` is in seconds.
    """

    listener_arn: str
    target_group_arn: str | None
    target: Target | None
    method: str
    path: str
    status: int
    target_status: int | None
    started: float
    started_at: float
    duration: float
    user_agent: str
    trace_id: str
    error: str | None = None

    @property
    def is_served(self) -> bool:
        """Whether a target responded, or a connection reached one."""
        if self.method == "TCP":
            return self.target is not None and self.error is None
        return self.target_status is not None


AccessObserver = Callable[[AccessRecord], None]


class Connection(Protocol):
    """A client's connection, as its listener sees it."""

    transport: asyncio.Transport


class ListenerPort(Protocol):
    """A listener, as its connections see it."""

    settings: ListenerSettings
    router: Routing

    def idle_timeout(self) -> float:
        """How long a connection may be idle now, in seconds."""
        ...

    def next_bucket(self) -> float:
        """The bucket of a new connection, at least 0 and below 1."""
        ...

    def connection_opened(self, connection: Connection) -> None:
        """Add a client's connection."""

    def connection_closed(self, connection: Connection) -> None:
        """Remove a client's connection."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task that is cancelled when the listener closes."""
        ...

    def log_access(self, record: AccessRecord) -> None:
        """Write a line of the access log."""


class IdleTimer:
    """Call back when a connection has been idle for too long; one timer each.

    Args:
        timeout: returns how long the connection may be idle now, in seconds.
        on_idle: called at the timeout, and again after each further one.
    """

    def __init__(
        self, timeout: Callable[[], float], on_idle: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._on_idle = on_idle
        self._active_at = self._loop.time()
        self._timer = self._loop.call_later(timeout(), self._check)

    def reset(self) -> None:
        """Start the timeout again: there was traffic."""
        self._active_at = self._loop.time()

    def stop(self) -> None:
        """Do not call back any more."""
        self._timer.cancel()

    def _check(self) -> None:
        timeout = self._timeout()
        left = self._active_at + timeout - self._loop.time()
        if left <= 0:
            left = timeout
            self._on_idle()
        self._timer = self._loop.call_later(left, self._check)
