"""A client's connection to an HTTP or HTTPS listener, and the requests it carries.

``HttpConnection`` parses requests and lets each be responded to in order; an
``Exchange`` is one request and its response.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from dataclasses import replace

import httptools

from hookgate_rehearsal.data_plane.http_message import (
    CLIENT_CLOSED,
    HIGH_WATER,
    LAST_CHUNK,
    BadMessage,
    MessageParser,
    RequestHead,
    ResponseHead,
    error_page,
    own_head,
    read_request,
    redirect_location,
    write_chunk,
    write_request,
    write_response,
)
from hookgate_rehearsal.data_plane.listener import (
    CONNECT_TIMEOUT,
    Assignment,
    ClientConnection,
    Listener,
)
from hookgate_rehearsal.data_plane.settings import FixedResponse, NoResponse, Redirect
from hookgate_rehearsal.data_plane.target_group import TargetGroup
from hookgate_rehearsal.data_plane.upstream import (
    ConnectionPool,
    ResponseReceiver,
    UpstreamConnection,
)

#: How long a client may take to read an early response, in seconds.
_LINGER = 2.0
#: How much of a request is still read after its response, in bytes.
_MAX_UNREAD = 1024 * 1024
#: A repetition does no harm, so such a request may use an idle connection, which the
#: target may be about to close. Any other request opens a connection of its own, so
#: that it is never sent twice.
_IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS"})
_UNREADABLE = RequestHead(method=b"-", url=b"-", headers=(), keep_alive=False)


class HttpConnection(ClientConnection, MessageParser):
    """A client's connection: parses requests, and responds to each in order.

    A WebSocket is passed through as raw bytes after the target's 101. Any other upgrade
    that a client offers is ignored, as ALB does; with a body it is refused (501).
    """

    def __init__(self, listener: Listener) -> None:
        super().__init__(listener)
        self.peer = ""
        self.is_slow = False
        self._out: list[bytes] = []
        self._pauses: set[str] = set()
        self.parser: httptools.HttpRequestParser = httptools.HttpRequestParser(self)
        self._url = b""
        self._queue: deque[Exchange] = deque()
        self._undecided: bytes | None = None
        """Data after a WebSocket request that the target has not responded to yet."""
        self._is_processing = self._tunnel = self._ignores_input = False
        self._half_closed = self.closes_after = self._upgrade = False

    # Callbacks of asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register with the listener."""
        super().connection_made(transport)
        self.peer = transport.get_extra_info("peername")[0]

    def connection_lost(self, exc: Exception | None) -> None:
        """End the running exchanges."""
        super().connection_lost(exc)
        self._ignores_input = True
        while self._queue:
            self._queue.popleft().client_gone()

    def pause_writing(self) -> None:
        """Pause the target."""
        self.is_slow = True
        if self._queue:
            self._queue[0].pause(paused=True)

    def resume_writing(self) -> None:
        """Resume the target."""
        self.is_slow = False
        self.reset_idle_timer()
        if self._queue:
            self._queue[0].pause(paused=False)

    def eof_received(self) -> bool:
        """Respond to the complete requests, then close."""
        self._half_closed = True
        encrypted = self.listener.settings.protocol.is_encrypted
        if self._tunnel or self._ignores_input or encrypted:
            return False
        return bool(self._queue) and self._queue[-1].request_ended

    def data_received(self, data: bytes) -> None:
        """Parse requests, or pass on tunnel data."""
        self.reset_idle_timer()
        if self._ignores_input:
            return
        if self._tunnel:
            self._queue[0].send(data)
        elif self._undecided is not None:
            self._undecided += data
        else:
            self._parse(data)
            self.process_queue()

    # Callbacks of the parser.

    def on_message_begin(self) -> None:
        """A request starts."""
        super().on_message_begin()
        self._url, self._upgrade = b"", False

    def on_url(self, part: bytes) -> None:
        """The request target, or a part of it."""
        self._url += part

    def on_headers_complete(self) -> None:
        """The head is complete; the rest of a refused request is not parsed."""
        self.in_head = False
        port = self.listener.settings.port
        head, refusal = read_request(self.parser, self._url, self.headers, port)
        self._upgrade = head.wants_websocket and refusal is None
        exchange = Exchange(self, head, refusal)
        self._queue.append(exchange)
        if refusal is not None:
            exchange.request_ended = self._ignores_input = True

    def on_body(self, data: bytes) -> None:
        """A part of the body."""
        self._queue[-1].request_body(data)

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._queue[-1].request_end()

    # Calls of the exchange.

    def write(self, data: bytes) -> None:
        """Send at the next flush."""
        self._out.append(data)

    def flush(self) -> None:
        """Send what was written."""
        self.reset_idle_timer()
        if self._out and not self.transport.is_closing():
            self.transport.write(b"".join(self._out))
        self._out.clear()

    def pause(self, reason: str, *, on: bool) -> None:
        """Add or remove a reason not to read; without a reason, reading goes on."""
        if on and not self._pauses:
            self.transport.pause_reading()
        elif not on and self._pauses == {reason}:
            self.transport.resume_reading()
        (self._pauses.add if on else self._pauses.discard)(reason)

    def keeps_alive(self, head: RequestHead) -> bool:
        """Whether the connection stays open after this request."""
        return head.keep_alive and not self.closes_after

    def close_now(self, *, flush: bool) -> None:
        """Close the connection; without ``flush``, abort it."""
        self._ignores_input = True
        if flush:
            self.flush()
            self.transport.close()
        else:
            self.transport.abort()

    def start_tunnel(self) -> None:
        """Pass on what the client sends, unparsed, from now on."""
        self._tunnel = True
        undecided, self._undecided = self._undecided, None
        if undecided:
            self._queue[0].send(undecided)
        self.pause("upgrade", on=False)

    def process_queue(self) -> None:
        """Start the next request once the current one is finished."""
        if self._is_processing or self.transport.is_closing():
            return
        self._is_processing = True
        try:
            self._respond_in_order()
        finally:
            self._is_processing = False
        self.flush()
        self.pause("queue", on=len(self._queue) > 1)

    def _respond_in_order(self) -> None:
        while self._queue and not self.transport.is_closing():
            first = self._queue[0]
            if not first.started:
                first.start()
            if not first.is_finished:
                return
            self._queue.popleft()
            if not self.keeps_alive(first.head):
                self._queue.clear()
                self._close()
            elif self._undecided is not None:
                undecided, self._undecided = self._undecided, None
                self.pause("upgrade", on=False)
                self._parse(undecided)
        if self._half_closed:
            self._close()

    def _parse(self, data: bytes) -> None:
        rest: bytes | None = data
        try:
            while rest is not None:
                rest = self.feed(rest)
                if self._upgrade and rest is not None:
                    self._undecided = rest
                    self.pause("upgrade", on=True)
                    return
        except BadMessage:
            self._refuse(400, "the client's data is not HTTP")

    def _refuse(self, status: int, why: str) -> None:
        """Respond with an error to data that cannot be parsed, then close."""
        self._ignores_input = True
        last = self._queue[-1] if self._queue else None
        if last is None or last.request_ended:
            self._queue.append(last := Exchange(self, _UNREADABLE, status))
        elif not last.started:
            head = replace(last.head, keep_alive=False)
            self._queue[-1] = last = Exchange(self, head, status)
        else:
            self.closes_after = True
            last.fail(status, why)
        last.request_ended = True

    def _close(self) -> None:
        self.flush()
        if not self._ignores_input or not self.transport.can_write_eof():
            self.transport.close()
            return
        # Closing with unread data would reset the connection, and the client would
        # lose the response.
        self.transport.write_eof()
        asyncio.get_running_loop().call_later(_LINGER, self.transport.abort)

    def timed_out(self) -> None:
        """ALB's idle timeout: 504 for an idle target, 408 for an idle client."""
        first = self._queue[0] if self._queue else None
        if first and first.started and first.request_ended and not self._tunnel:
            first.fail(504, "idle timeout: the target sent nothing")
        elif self._ignores_input or self._tunnel or (first and first.responded):
            self.close_now(flush=False)
        elif first or self.in_head:
            self._refuse(408, "idle timeout: the client sent nothing")
        else:
            self.transport.close()
        self.process_queue()


class Exchange(ResponseReceiver):
    """One request and its response.

    Args:
        client: the connection of the request.
        head: the head of the request.
        refusal: the status to refuse it with, for a request that ALB does not route.
    """

    def __init__(
        self, client: HttpConnection, head: RequestHead, refusal: int | None = None
    ) -> None:
        self.head = head
        self.started = self.responded = self.request_ended = False
        self._client = client
        self._trace_id = head.text(b"x-amzn-trace-id") or _new_trace_id()
        self._refusal = refusal
        self._assignment: Assignment
        self._pool: ConnectionPool | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._upstream: UpstreamConnection | None = None
        self._reused = self._chunk_response = False
        self._response: ResponseHead | None = None
        self._pending = bytearray()
        self._unread = 0

    # Calls of the client's connection.

    @property
    def is_finished(self) -> bool:
        """Whether the connection may start its next request."""
        return self.responded and self.request_ended

    def start(self) -> None:
        """Route the request: forward it, or respond to it."""
        self.started = True
        client = self._client
        self._assignment = Assignment(client.listener)
        if self._refusal is not None:
            self._respond(error_page(self._refusal), "the request is invalid")
            return
        decision = client.listener.router.decide(self.head, client.peer, client.bucket)
        if isinstance(decision, FixedResponse):
            self._respond(decision)
        elif isinstance(decision, Redirect):
            settings = client.listener.settings
            location = redirect_location(decision, self.head, settings)
            page = FixedResponse(status=decision.status, content_type="text/html")
            self._respond(page, location=location)
        elif not isinstance(decision, NoResponse):
            self._forward(decision.choose())

    def request_body(self, data: bytes) -> None:
        """Forward a part of the body; after the response, discard up to a limit."""
        if not self.responded and (self._pool or not self.started):
            self.send(write_chunk(data) if self.head.is_chunked else data)
            return
        self._unread += len(data)
        if self._unread > _MAX_UNREAD:
            self._client.close_now(flush=True)

    def request_end(self) -> None:
        """Forward the end of the request."""
        self.request_ended = True
        if self.responded:
            return
        if self.head.is_chunked:
            self.send(LAST_CHUNK)
        if self._upstream:
            self._upstream.request_complete = True

    def send(self, data: bytes) -> None:
        """Send bytes to the target, once there is a connection."""
        if self._upstream:
            self._upstream.transport.write(data)
            return
        self._pending += data
        if self._pool:
            self.target_is_slow(slow=len(self._pending) > HIGH_WATER)

    def pause(self, *, paused: bool) -> None:
        """Pause reading the response while the client's buffer is full."""
        if self._upstream and not self._upstream.transport.is_closing():
            transport = self._upstream.transport
            (transport.pause_reading if paused else transport.resume_reading)()

    def fail(self, status: int, why: str) -> None:
        """Respond with an error, or cut a response that has started."""
        if self.responded:
            return
        self._drop()
        if self._response is None:
            self._respond(error_page(status), why)
        else:
            self._end(self._response.status, why)
            self._client.close_now(flush=self._response.has_length)
        self._client.process_queue()

    def client_gone(self) -> None:
        """Cancel: the client's connection has ended."""
        if self.responded or not self.started:
            return
        if self._response and self._response.status == 101:
            self._end(101)
        else:
            self._end(CLIENT_CLOSED, "the client closed the connection")
        self._drop()

    # Callbacks of the connection to the target.

    def response_head(self, head: ResponseHead) -> None:
        """Write the head, framed so that this client can tell where the body ends."""
        self._response = head
        unframed = head.has_body and not head.has_length
        self._chunk_response = unframed and not self.head.is_http_1_0
        if unframed and self.head.is_http_1_0:
            self._client.closes_after = True
        self._write_head(head)
        if head.status == 101:
            self._client.start_tunnel()

    def response_body(self, data: bytes) -> None:
        """Write a part of the body, or what the target sends after status 101."""
        self._client.write(write_chunk(data) if self._chunk_response else data)

    def response_end(self) -> None:
        """Write the end of the response, and finish the exchange."""
        self._upstream = None
        if self._chunk_response:
            self._client.write(LAST_CHUNK)
        self.target_is_slow(slow=False)
        if self._response:
            self._end(self._response.status)
        self._client.process_queue()

    def response_lost(self, why: str, *, untouched: bool) -> None:
        """Retry if an idle connection had been closed by the target; else fail."""
        self._upstream = None
        if self._pool and self._reused and untouched:
            self._connect(self._pool)
        elif self._response and self._response.status == 101:
            self._end(101)
            self._client.close_now(flush=True)
        else:
            self.fail(502, why)

    def flush(self) -> None:
        """Send the client what was written."""
        self._client.flush()

    def target_is_slow(self, *, slow: bool) -> None:
        """Pause the client while the target's buffer is full."""
        self._client.pause("target", on=slow)

    def _forward(self, group: TargetGroup | None) -> None:
        """Use an idle connection if the request may be repeated, else a new one."""
        registration = self._assignment.choose(group)
        if isinstance(registration, str):
            self._respond(error_page(503), registration)
            return
        if not self.request_ended and self.head.header(b"expect"):
            self._client.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._pool = registration.pool
        may_reuse = self.head.method in _IDEMPOTENT and not self.head.has_body
        if idle := self._pool.take() if may_reuse else None:
            self._reused = True
            self._send_request(idle)
        else:
            self._connect(self._pool)

    def _connect(self, pool: ConnectionPool) -> None:
        self._reused = False
        self._connecting = self._client.listener.spawn(self._open(pool))

    async def _open(self, pool: ConnectionPool) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                upstream = await pool.connect()
        except TimeoutError:
            self._connecting = None
            self.fail(504, "the connection to the target timed out")
        except OSError as error:
            self._connecting = None
            self.fail(502, f"the target refused the connection: {error}")
        else:
            self._connecting = None
            self._send_request(upstream)

    def _send_request(self, upstream: UpstreamConnection) -> None:
        self._upstream = upstream
        client = self._client
        settings = client.listener.settings
        head = write_request(self.head, settings, client.peer, self._trace_id)
        self.target_is_slow(slow=False)
        upstream.send_request(
            self,
            head + self._pending,
            for_head=self.head.method == b"HEAD",
            complete=self.request_ended,
        )
        self._pending.clear()
        self.pause(paused=client.is_slow)

    def _respond(
        self,
        response: FixedResponse,
        why: str | None = None,
        location: str | None = None,
    ) -> None:
        self._write_head(own_head(response, location))
        if self.head.method != b"HEAD":
            self._client.write(response.body)
        self._end(response.status, why)

    def _write_head(self, head: ResponseHead) -> None:
        keep = self._client.keeps_alive(self.head)
        self._client.write(
            write_response(
                head, self.head, chunked=self._chunk_response, keep_alive=keep
            )
        )

    def _drop(self) -> None:
        """Abandon the connection to the target."""
        if self._connecting:
            self._connecting.cancel()
            self._connecting = None
        if self._upstream:
            self._upstream.abandon()
            self._upstream = None
        self.target_is_slow(slow=False)

    def _end(self, status: int, why: str | None = None) -> None:
        """Write the line of the access log: the response is complete."""
        self.responded = True
        self._pending.clear()
        record = replace(
            self._assignment.end(why),
            method=self.head.method.decode("latin-1"),
            path=self.head.url.decode("latin-1"),
            status=status,
            target_status=self._response.status if self._response else None,
            user_agent=self.head.text(b"user-agent"),
            trace_id=self._trace_id,
        )
        self._client.listener.log_access(record)


def _new_trace_id() -> str:
    return f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"
