"""Connections of clients to a listener: what they share, and TCP and TLS ones."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
import typing
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from hookgate_rehearsal.data_plane.http_message import HIGH_WATER
from hookgate_rehearsal.data_plane.routing import Routing
from hookgate_rehearsal.data_plane.settings import ListenerSettings, Target
from hookgate_rehearsal.data_plane.target_group import Registration, TargetGroup

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


class ClientConnection(Protocol):
    """A client's connection, for its listener."""

    transport: asyncio.Transport


class ListenerPort(Protocol):
    """A listener, for its connections."""

    settings: ListenerSettings
    router: Routing

    def idle_timeout(self) -> float:
        """How long a connection may be idle now, in seconds."""
        ...

    def next_bucket(self) -> float:
        """The bucket of a new connection, at least 0 and below 1."""
        ...

    def connection_opened(self, connection: ClientConnection) -> None:
        """Add a client's connection."""

    def connection_closed(self, connection: ClientConnection) -> None:
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


class _TunnelEnd(asyncio.Protocol):
    """One end of a tunnel; ``all_ends`` are those to the same target."""

    def __init__(self, all_ends: set[asyncio.Transport] | None = None) -> None:
        self._all_ends = all_ends
        self.transport: asyncio.Transport
        self.other: _TunnelEnd | None = None
        self.ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Do not read until the other end is connected."""
        self.transport = typing.cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER)
        self.transport.pause_reading()
        if self._all_ends is not None:
            self._all_ends.add(self.transport)

    def join(self, other: _TunnelEnd) -> None:
        """Connect the two ends, and start reading from both."""
        self.other, other.other = other, self
        self.transport.resume_reading()
        other.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Pass data on."""
        self.reset_idle_timer()
        if self.other:
            self.other.transport.write(data)

    def reset_idle_timer(self) -> None:
        """Report traffic to the client's end, which has the timer."""
        if self.other:
            self.other.reset_idle_timer()

    def pause_writing(self) -> None:
        """Pause the other end."""
        if self.other:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Resume the other end."""
        if self.other:
            self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        """Pass the end of this direction on; the other direction stays open."""
        self.ended = True
        other = self.other
        if other is None or other.ended or not other.transport.can_write_eof():
            return False
        other.transport.write_eof()
        return self.transport.can_write_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        """Close or reset the other end, as this one was closed or reset."""
        if self._all_ends is not None:
            self._all_ends.discard(self.transport)
        other, self.other = self.other, None
        if other:
            other.other = None
            if exc:
                _reset(other.transport)
            else:
                other.transport.close()


class TcpConnection(_TunnelEnd):
    """The client's end: chooses a target when it connects, and keeps it."""

    def __init__(self, listener: ListenerPort) -> None:
        super().__init__()
        self.listener = listener
        self._started, self._started_at = time.monotonic(), time.time()
        self._idle_timer: IdleTimer
        self._group: TargetGroup | None = None
        self._registration: Registration | None = None
        self._error: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Choose a target by the current weights."""
        super().connection_made(transport)
        listener = self.listener
        self._idle_timer = IdleTimer(listener.idle_timeout, self._timed_out)
        listener.connection_opened(self)
        self._group = listener.router.decide_connection(listener.next_bucket())
        registration = self._group.choose() if self._group else None
        if registration is None:
            self._fail(
                "no target is registered" if self._group else "every weight is 0"
            )
            return
        self._registration = registration
        registration.in_flight += 1
        self._all_ends = registration.tunnels
        self._all_ends.add(self.transport)
        listener.spawn(self._connect(registration))

    def connection_lost(self, exc: Exception | None) -> None:
        """Write the line of the access log."""
        super().connection_lost(exc)
        self.listener.connection_closed(self)
        self._idle_timer.stop()
        if self._registration:
            self._registration.in_flight -= 1
        self.listener.log_access(
            AccessRecord(
                listener_arn=self.listener.settings.arn,
                target_group_arn=self._group.settings.arn if self._group else None,
                target=self._registration.target if self._registration else None,
                method="TCP",
                path="",
                status=0,
                target_status=None,
                started=self._started,
                started_at=self._started_at,
                duration=time.monotonic() - self._started,
                user_agent="",
                trace_id="",
                error=self._error,
            )
        )

    def reset_idle_timer(self) -> None:
        """Start the idle timeout again."""
        self._idle_timer.reset()

    async def _connect(self, registration: Registration) -> None:
        target = registration.target
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                _, end = await asyncio.get_running_loop().create_connection(
                    lambda: _TunnelEnd(registration.tunnels),
                    target.id,
                    target.port,
                    ssl=registration.tls,
                )
        except TimeoutError:
            self._fail("the connection to the target timed out")
            return
        except OSError as error:
            self._fail(f"the target refused the connection: {error}")
            return
        if self.transport.is_closing():
            end.transport.abort()
        else:
            self.join(end)

    def _fail(self, why: str) -> None:
        """Reset the connection, as NLB does."""
        self._error = why
        _reset(self.transport)

    def _timed_out(self) -> None:
        self._fail("idle timeout: neither side sent anything")


def _reset(transport: asyncio.Transport) -> None:
    """End a connection with a TCP reset instead of a regular end."""
    sock = transport.get_extra_info("socket")
    with suppress(OSError):  # it has just ended by itself
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
