"""A client's connection to a TCP or TLS listener: a tunnel to one target."""

from __future__ import annotations

import asyncio
import socket
import struct
import typing
from contextlib import suppress

from hookgate_rehearsal.data_plane.http_message import HIGH_WATER
from hookgate_rehearsal.data_plane.listener import (
    CONNECT_TIMEOUT,
    Assignment,
    ClientConnection,
    Listener,
)
from hookgate_rehearsal.data_plane.target_group import Registration


class _TunnelEnd(asyncio.Protocol):
    """One end of a tunnel; ``all_ends`` are those to the same target."""

    def __init__(self, all_ends: set[asyncio.Transport]) -> None:
        self.all_ends = all_ends
        self.transport: asyncio.Transport
        self.other: _TunnelEnd | None = None
        self.ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Do not read until the other end is connected."""
        self.transport = typing.cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER)
        self.transport.pause_reading()
        self.all_ends.add(self.transport)

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
        self.all_ends.discard(self.transport)
        other, self.other = self.other, None
        if other:
            other.other = None
            if exc:
                _reset(other.transport)
            else:
                other.transport.close()


class TcpConnection(ClientConnection, _TunnelEnd):
    """The client's end: chooses a target when it connects, and keeps it."""

    def __init__(self, listener: Listener) -> None:
        ClientConnection.__init__(self, listener)
        _TunnelEnd.__init__(self, set())
        self._assignment = Assignment(listener)
        self._error: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Choose a target by the current weights."""
        ClientConnection.connection_made(self, transport)
        _TunnelEnd.connection_made(self, transport)
        group = self.listener.router.decide_connection(self.bucket)
        chosen = self._assignment.choose(group)
        if isinstance(chosen, str):
            self._fail(chosen)
            return
        self.all_ends = chosen.tunnels
        self.all_ends.add(self.transport)
        self.listener.spawn(self._connect(chosen))

    def connection_lost(self, exc: Exception | None) -> None:
        """Write the line of the access log."""
        _TunnelEnd.connection_lost(self, exc)
        ClientConnection.connection_lost(self, exc)
        self.listener.log_access(self._assignment.end(self._error))

    def timed_out(self) -> None:
        """Reset a connection without traffic."""
        self._fail("idle timeout: neither side sent anything")

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


def _reset(transport: asyncio.Transport) -> None:
    """End a connection with a TCP reset instead of a regular end."""
    sock = transport.get_extra_info("socket")
    with suppress(OSError):  # it has just ended by itself
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
