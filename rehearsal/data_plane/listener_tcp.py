"""A client's connection to a TCP or TLS listener: bytes, and nothing about them."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
import typing
from contextlib import suppress

from rehearsal.data_plane.forwarding import CONNECT_TIMEOUT
from rehearsal.data_plane.message import HIGH_WATER
from rehearsal.data_plane.observations import AccessRecord
from rehearsal.data_plane.ports import Office
from rehearsal.data_plane.silence import SilenceWatch
from rehearsal.data_plane.target_group import Registration, TargetGroup


class _End(asyncio.Protocol):
    """One end of a tunnel; ``all_ends`` are those to the same target."""

    def __init__(self, all_ends: set[asyncio.Transport] | None = None) -> None:
        self._all_ends = all_ends
        self.transport: asyncio.Transport
        self.other: _End | None = None
        self.ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the other end before reading."""
        self.transport = typing.cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER)
        self.transport.pause_reading()
        if self._all_ends is not None:
            self._all_ends.add(self.transport)

    def join(self, other: _End) -> None:
        """Let bytes through."""
        self.other, other.other = other, self
        self.transport.resume_reading()
        other.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        self.heard()
        if self.other:
            self.other.transport.write(data)

    def heard(self) -> None:
        """Note that the tunnel is used."""
        if self.other:
            self.other.heard()

    def pause_writing(self) -> None:
        """Slow the other end down."""
        if self.other:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Let the other end go on."""
        if self.other:
            self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        """Pass on that no more will come; the other direction stays open."""
        self.ended = True
        other = self.other
        if other is None or other.ended or not other.transport.can_write_eof():
            return False
        other.transport.write_eof()
        return self.transport.can_write_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other end as this one ended."""
        if self._all_ends is not None:
            self._all_ends.discard(self.transport)
        other, self.other = self.other, None
        if other:
            other.other = None
            if exc:
                _reset(other.transport)
            else:
                other.transport.close()


class TcpConnection(_End):
    """The client's end: chooses a target when it connects, and keeps to it."""

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.office = office
        self._begun, self._begun_at = time.monotonic(), time.time()
        self._watch: SilenceWatch
        self._group: TargetGroup | None = None
        self._registration: Registration | None = None
        self._error: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Choose a target by the weights of this moment."""
        super().connection_made(transport)
        self._watch = SilenceWatch(self.office.idle_timeout, self._silent)
        self.office.arrived(self)
        self._group = self.office.router.decide_connection(self.office.luck())
        registration = self._group.choose() if self._group else None
        if registration is None:
            self._fail("no target is registered" if self._group else "no weight")
            return
        self._registration = registration
        registration.in_flight += 1
        self._all_ends = registration.tunnels
        self._all_ends.add(self.transport)
        self.office.spawn(self._connect(registration))

    def connection_lost(self, exc: Exception | None) -> None:
        """Write the line of the access log."""
        super().connection_lost(exc)
        self.office.left(self)
        self._watch.stop()
        if self._registration:
            self._registration.in_flight -= 1
        self.office.tell(
            AccessRecord(
                listener_arn=self.office.settings.arn,
                target_group_arn=self._group.settings.arn if self._group else None,
                target=self._registration.target if self._registration else None,
                method="TCP",
                path="",
                status=0,
                target_status=None,
                started=self._begun,
                started_at=self._begun_at,
                duration=time.monotonic() - self._begun,
                user_agent="",
                trace_id="",
                error=self._error,
            )
        )

    def heard(self) -> None:
        """Note that the tunnel is used."""
        self._watch.heard()

    async def _connect(self, registration: Registration) -> None:
        target = registration.target
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                _, end = await asyncio.get_running_loop().create_connection(
                    lambda: _End(registration.tunnels),
                    target.id,
                    target.port,
                    ssl=registration.encryption,
                )
        except TimeoutError:
            self._fail("the target did not take the connection in time")
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

    def _silent(self) -> None:
        self._fail("the connection was silent for too long")


def _reset(transport: asyncio.Transport) -> None:
    """End a connection so that the other side can tell it from a proper end."""
    sock = transport.get_extra_info("socket")
    with suppress(OSError):  # it has just ended by itself
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
