"""Carry one request to a target, and its answer back as it comes."""

from __future__ import annotations

import asyncio
import typing

from rehearsal.data_plane.message import (
    HIGH_WATER,
    LAST_CHUNK,
    Forwarded,
    ResponseHead,
    write_chunk,
    write_request,
    write_response,
)
from rehearsal.data_plane.target_group import Registration
from rehearsal.data_plane.upstream import UpstreamConnection

if typing.TYPE_CHECKING:
    from rehearsal.data_plane.exchange import Exchange

#: Asking twice does no harm, so that such a request may go over a kept connection,
#: which the target may be about to close. Every other goes over a fresh one: what was
#: perhaps done once is never done twice.
_IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS"})
#: How long ALB waits for a target to take a connection, in seconds.
CONNECT_TIMEOUT = 10.0


class Forwarding:
    """The part of an exchange that a target has.

    Args:
        exchange: what is carried, and who is told how it ends.
        registration: the target.
    """

    def __init__(self, exchange: Exchange, registration: Registration) -> None:
        self.answer: ResponseHead | None = None
        self._exchange = exchange
        self._head = exchange.head
        self._client = exchange.client
        self._registration = registration
        self._upstream: UpstreamConnection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._reused = False
        self._chunk_request = exchange.head.is_chunked
        self._chunk_answer = False
        self._pending: list[bytes] = []
        self._pending_size = 0

    # What the exchange says.

    def start(self) -> None:
        """Take a kept connection where that is safe, else a fresh one."""
        may_reuse = self._head.method in _IDEMPOTENT and not self._head.has_body
        kept = self._registration.pool.take() if may_reuse else None
        if kept:
            self._reused = True
            self._ask(kept)
        else:
            self._connect()

    def send(self, data: bytes) -> None:
        """Pass on some of the request's body."""
        self.send_raw(write_chunk(data) if self._chunk_request else data)

    def send_end(self) -> None:
        """Pass on that the request is complete."""
        if self._chunk_request:
            self.send_raw(LAST_CHUNK)
        if self._upstream:
            self._upstream.asked = True

    def send_raw(self, data: bytes) -> None:
        """Pass on bytes as they are; before there is a connection, keep them."""
        if self._upstream:
            self._upstream.transport.write(data)
            return
        self._pending.append(data)
        self._pending_size += len(data)
        if self._pending_size > HIGH_WATER:
            self._client.wire.hold("pending", on=True)

    def pause(self, *, paused: bool) -> None:
        """Stop reading the answer, or go on."""
        if self._upstream and not self._upstream.transport.is_closing():
            transport = self._upstream.transport
            (transport.pause_reading if paused else transport.resume_reading)()

    def drop(self) -> None:
        """Give up the connection."""
        if self._connecting:
            self._connecting.cancel()
            self._connecting = None
        if self._upstream:
            self._upstream.abandon()
            self._upstream = None
        self._release()

    # What the target's connection says.

    def answer_head(self, head: ResponseHead) -> None:
        """Pass the head on, framed so that this client can tell where it ends."""
        self.answer = head
        unframed = head.has_body and not head.has_length
        self._chunk_answer = unframed and not self._head.is_http_1_0
        if unframed and self._head.is_http_1_0:
            self._client.close_after()
        keep = self._client.keeps_alive(self._head)
        self._client.wire.write(
            write_response(
                head, self._head, chunked=self._chunk_answer, keep_alive=keep
            )
        )
        if head.status == 101:
            self._client.tunnel()

    def answer_body(self, data: bytes) -> None:
        """Pass some of the body on."""
        self._client.wire.write(write_chunk(data) if self._chunk_answer else data)

    def answer_end(self) -> None:
        """Pass on that the answer is complete."""
        self._upstream = None
        if self._chunk_answer:
            self._client.wire.write(LAST_CHUNK)
        self._release()
        if self.answer:
            self._exchange.end(self.answer.status, self.answer, None)
        self._client.pump()

    def answer_lost(self, why: str, *, untouched: bool) -> None:
        """Ask again where a kept connection turned out to be closed; else give up."""
        self._upstream = None
        if self._reused and untouched:
            self._connect()
        elif self.answer and self.answer.status == 101:
            self._exchange.end(101, self.answer, None)
            self._client.give_up(cleanly=True)
        else:
            self._exchange.fail(502, why)
            self._client.pump()

    def tunnel_data(self, data: bytes) -> None:
        """Pass on what the target sends after 101."""
        self._client.wire.write(data)

    def flush(self) -> None:
        """Let the client have what has come."""
        self._client.flush()

    def target_is_slow(self, *, slow: bool) -> None:
        """Pause the client while the target does not read."""
        self._client.wire.hold("target", on=slow)

    # Connecting.

    def _connect(self) -> None:
        self._reused = False
        self._connecting = self._client.office.spawn(self._open())

    async def _open(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                upstream = await self._registration.pool.connect()
        except TimeoutError:
            self._not_connected(504, "the target did not take the connection in time")
        except OSError as error:
            self._not_connected(502, f"the target refused the connection: {error}")
        else:
            self._connecting = None
            self._ask(upstream)

    def _not_connected(self, status: int, why: str) -> None:
        self._connecting = None
        self._exchange.fail(status, why)
        self._client.pump()

    def _ask(self, upstream: UpstreamConnection) -> None:
        self._upstream = upstream
        settings = self._client.office.settings
        protocol = b"https" if settings.protocol.is_encrypted else b"http"
        port = b"%d" % settings.port
        if settings.keeps_forwarded:
            protocol = self._head.header(b"x-forwarded-proto") or protocol
            port = self._head.header(b"x-forwarded-port") or port
        forwarded = Forwarded(
            peer=self._client.peer.encode(),
            protocol=protocol,
            port=port,
            trace_id=self._exchange.trace_id.encode("latin-1"),
        )
        request = [write_request(self._head, forwarded), *self._pending]
        self._pending, self._pending_size = [], 0
        upstream.ask(self, b"".join(request), method=self._head.method)
        upstream.asked = self._exchange.request_ended
        self._client.wire.hold("pending", on=False)
        self.pause(paused=self._client.is_slow)

    def _release(self) -> None:
        self._client.wire.hold("target", on=False)
        self._client.wire.hold("pending", on=False)
