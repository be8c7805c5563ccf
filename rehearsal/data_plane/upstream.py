"""Connections to a target: pooled, one request at a time."""

from __future__ import annotations

import asyncio
import ssl
import typing

import httptools

from hookgate_rehearsal.data_plane.http_message import (
    HIGH_WATER,
    BadMessage,
    MessageParser,
    ResponseHead,
)
from hookgate_rehearsal.data_plane.settings import Target

#: The pool closes idle connections beyond this number.
_MAX_IDLE = 64
_NO_BODY = frozenset({204, 304})


def unverified_tls() -> ssl.SSLContext:
    """TLS without certificate verification; ELB does not verify targets either."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class ResponseReceiver:
    """Receives the response to a request as it arrives; by default ignores it."""

    def response_head(self, head: ResponseHead) -> None:
        """The head of the response."""

    def response_body(self, data: bytes) -> None:
        """A part of the body, or data after status 101."""

    def response_end(self) -> None:
        """The response is complete; the connection may be in the pool again."""

    def response_lost(self, why: str, *, untouched: bool) -> None:
        """The connection failed first; ``untouched`` if no byte had arrived."""

    def flush(self) -> None:
        """All data that has arrived so far was delivered."""

    def target_is_slow(self, *, slow: bool) -> None:
        """The target's buffer is full, or has room again."""


class UpstreamConnection(asyncio.Protocol, MessageParser):
    """One connection to a target, which reads one response at a time."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self.parser: httptools.HttpResponseParser = httptools.HttpResponseParser(self)
        self._receiver: ResponseReceiver | None = None
        self._untouched = True
        self._for_head = self._ended = self._keep = self._until_close = False
        self._broken = self._tunnel = False
        self.request_complete = False
        """Whether the whole request was sent."""
        self._reason = b""
        self.transport: asyncio.Transport

    def send_request(
        self, receiver: ResponseReceiver, data: bytes, *, for_head: bool, complete: bool
    ) -> None:
        """Send a request, or its start, and pass the response to the receiver."""
        self._receiver = receiver
        self._for_head, self.request_complete = for_head, complete
        self._untouched = True
        self.transport.resume_reading()
        self.transport.write(data)

    def abandon(self) -> None:
        """Discard the response and abort the connection."""
        self._receiver = None
        self.transport.abort()

    # Callbacks of asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register with the pool."""
        self.transport = typing.cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER)
        self._pool.open.add(self)

    def pause_writing(self) -> None:
        """Pause the client."""
        if self._receiver:
            self._receiver.target_is_slow(slow=True)

    def resume_writing(self) -> None:
        """Resume the client."""
        if self._receiver:
            self._receiver.target_is_slow(slow=False)

    def data_received(self, data: bytes) -> None:
        """Parse the response, or pass on tunnel data."""
        receiver = self._receiver
        if receiver is None:
            self.transport.abort()  # there was no request
            return
        self._untouched = False
        if self._tunnel:
            receiver.response_body(data)
        else:
            self._parse(data, receiver)
        receiver.flush()

    def eof_received(self) -> None:
        """Complete a response that ends with the connection."""
        if self._until_close and not self._ended:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the loss to the receiver of an incomplete response."""
        self._pool.discard(self)
        if self._receiver is not None:
            how = "was reset" if exc else "was closed"
            self._lose(f"the connection {how} by the target")

    # Callbacks of the parser.

    def on_message_begin(self) -> None:
        """A head starts."""
        super().on_message_begin()
        self._broken = self._broken or self._ended
        self._reason = b""

    def on_status(self, reason: bytes) -> None:
        """The reason phrase, or a part of it."""
        self._reason += reason

    def on_headers_complete(self) -> None:
        """The head is complete; an informational one is dropped."""
        self.in_head = False
        status = self.parser.get_status_code()
        if self._receiver is None or self._ended or (status < 200 and status != 101):
            return
        names = {lower for lower, _, _ in self.headers}
        has_length = b"content-length" in names
        has_body = not (self._for_head or status in _NO_BODY or status == 101)
        chunked = b"transfer-encoding" in names
        self._until_close = has_body and not has_length and not chunked
        self._keep = self.parser.should_keep_alive()
        self._receiver.response_head(
            ResponseHead(
                status=status,
                reason=self._reason,
                headers=tuple(self.headers),
                has_body=has_body,
                has_length=has_length,
            )
        )
        self._tunnel = status == 101
        self._ended = self._for_head

    def on_body(self, data: bytes) -> None:
        """A part of the body."""
        if self._ended:
            self._broken = True
        elif self._receiver is not None:
            self._receiver.response_body(data)

    def on_message_complete(self) -> None:
        """The response is complete, unless it was an informational one."""
        if self.parser.get_status_code() >= 200:
            self._ended = True

    def _parse(self, data: bytes, receiver: ResponseReceiver) -> None:
        try:
            if rest := self.feed(data):
                receiver.response_body(rest)
        except BadMessage as error:
            if not self._ended:
                self._lose(f"the target's response is invalid: {error}")
            self.transport.abort()
        if self._ended and self._receiver is receiver:
            self._finish()

    def _finish(self) -> None:
        receiver, self._receiver = self._receiver, None
        reusable = (
            self._keep
            and self.request_complete
            and not self._broken
            and not self._until_close
        )
        if self._for_head:
            self.parser = httptools.HttpResponseParser(self)
        self._ended = self._until_close = False
        if reusable:
            self._pool.release(self)
        else:
            self.transport.abort()
        if receiver:
            receiver.response_end()
            receiver.flush()

    def _lose(self, why: str) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver:
            receiver.response_lost(why, untouched=self._untouched)
            receiver.flush()


class ConnectionPool:
    """The connections to one target: opened on demand, kept alive for reuse.

    Args:
        target: where to connect.
        tls: TLS settings of the connections; ``None`` for plain text.
    """

    def __init__(self, target: Target, tls: ssl.SSLContext | None) -> None:
        self._target = target
        self._tls = tls
        self._idle: list[UpstreamConnection] = []
        self._keeps_idle = True
        self.open: set[UpstreamConnection] = set()

    def take(self) -> UpstreamConnection | None:
        """Take an idle connection, if there is one."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.transport.is_closing():
                return connection
        return None

    async def connect(self) -> UpstreamConnection:
        """Open a new connection.

        Raises:
            OSError: the target refused it.
        """
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: UpstreamConnection(self),
            self._target.id,
            self._target.port,
            ssl=self._tls,
        )
        return connection

    def release(self, connection: UpstreamConnection) -> None:
        """Keep a connection for the next request."""
        if self._keeps_idle and len(self._idle) < _MAX_IDLE:
            self._idle.append(connection)
        else:
            connection.transport.abort()

    def discard(self, connection: UpstreamConnection) -> None:
        """Remove a connection that has ended."""
        self.open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def keep_idle(self, *, enabled: bool) -> None:
        """Keep idle connections from now on, or close them and keep none."""
        self._keeps_idle = enabled
        if enabled:
            return
        for connection in self._idle:
            connection.transport.abort()
        self._idle.clear()

    def abort(self) -> None:
        """Abort every connection, idle or not."""
        self.keep_idle(enabled=False)
        for connection in self.open:
            connection.transport.abort()
