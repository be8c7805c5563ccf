"""A client's connection to an HTTP or HTTPS listener, and the requests it carries.

``HttpConnection`` parses requests and lets each be responded to in order; an
``Exchange`` is one request and its response; ``Forwarding`` is the target's side of it.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import typing
from collections import deque
from dataclasses import replace

from hookgate_rehearsal.data_plane.connection import (
    CONNECT_TIMEOUT,
    AccessRecord,
    IdleTimer,
    ListenerPort,
)
from hookgate_rehearsal.data_plane.http_message import (
    CLIENT_CLOSED,
    HIGH_WATER,
    LAST_CHUNK,
    BadRequest,
    Forwarded,
    RequestHead,
    RequestParser,
    ResponseHead,
    error_page,
    own_head,
    redirect_head,
    write_chunk,
    write_request,
    write_response,
)
from hookgate_rehearsal.data_plane.settings import FixedResponse, NoResponse, Redirect
from hookgate_rehearsal.data_plane.target_group import Registration, TargetGroup
from hookgate_rehearsal.data_plane.upstream import UpstreamConnection

#: How long a client may take to read an early response, in seconds.
_LINGER = 2.0
#: How much of a request is still read after its response, in bytes.
_MAX_UNREAD = 1024 * 1024
#: A repetition does no harm, so such a request may use an idle connection, which the
#: target may be about to close. Any other request opens a connection of its own, so
#: that it is never sent twice.
_IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS"})
_UNREADABLE = RequestHead(method=b"-", url=b"-", headers=(), keep_alive=False)


class ClientStream:
    """The client's transport: writes in few pieces, and reads unless it is paused."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._out: list[bytes] = []
        self._pauses: set[str] = set()
        transport.set_write_buffer_limits(high=HIGH_WATER)

    def write(self, data: bytes) -> None:
        """Send at the next flush."""
        self._out.append(data)

    def flush(self) -> None:
        """Send what was written."""
        if not self._out:
            return
        data = b"".join(self._out)
        self._out.clear()
        if not self._transport.is_closing():
            self._transport.write(data)

    def pause(self, reason: str, *, on: bool) -> None:
        """Add or remove a reason not to read; without a reason, reading goes on."""
        if on and not self._pauses:
            self._transport.pause_reading()
        elif not on and self._pauses == {reason}:
            self._transport.resume_reading()
        (self._pauses.add if on else self._pauses.discard)(reason)


class HttpConnection(asyncio.Protocol):
    """A client's connection: parses requests, and responds to each in order.

    A WebSocket is passed through as raw bytes after the target's 101. Any other upgrade
    that a client offers is ignored, as ALB does; with a body it is refused (501).
    """

    def __init__(self, listener: ListenerPort) -> None:
        self.listener = listener
        self.peer = ""
        self.bucket = listener.next_bucket()
        self.is_slow = False
        self.transport: asyncio.Transport
        self.stream: ClientStream
        self._parser = RequestParser(self, b"localhost:%d" % listener.settings.port)
        self._queue: deque[Exchange] = deque()
        self._undecided: bytes | None = None
        """Data after a WebSocket request that the target has not responded to yet."""
        self._is_processing = self._tunnel = self._ignores_input = False
        self._half_closed = self._close_after = False
        self._idle_timer: IdleTimer

    # Callbacks of asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register with the listener."""
        self.transport = typing.cast("asyncio.Transport", transport)
        self.stream = ClientStream(self.transport)
        self.peer = self.transport.get_extra_info("peername")[0]
        self._idle_timer = IdleTimer(self.listener.idle_timeout, self._timed_out)
        self.listener.connection_opened(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """End the running exchanges."""
        self.listener.connection_closed(self)
        self._ignores_input = True
        self._idle_timer.stop()
        while self._queue:
            self._queue.popleft().client_gone()

    def pause_writing(self) -> None:
        """Pause the target."""
        self.is_slow = True
        if self._queue:
            self._queue[0].client_is_slow(slow=True)

    def resume_writing(self) -> None:
        """Resume the target."""
        self.is_slow = False
        self._idle_timer.reset()
        if self._queue:
            self._queue[0].client_is_slow(slow=False)

    def eof_received(self) -> bool:
        """Respond to the complete requests, then close."""
        self._half_closed = True
        encrypted = self.listener.settings.protocol.is_encrypted
        if self._tunnel or self._ignores_input or encrypted:
            return False
        return bool(self._queue) and self._queue[-1].request_ended

    def data_received(self, data: bytes) -> None:
        """Parse requests, or pass on tunnel data."""
        self._idle_timer.reset()
        if self._ignores_input:
            return
        if self._tunnel:
            self._queue[0].tunnel_data(data)
        elif self._undecided is not None:
            self._undecided += data
        else:
            self._parse(data)
            self.process_queue()

    # Callbacks of the parser.

    def request_head(self, head: RequestHead, refusal: int | None) -> None:
        """A request starts; the rest of a refused one is not parsed."""
        exchange = Exchange(self, head, refusal)
        self._queue.append(exchange)
        if refusal is not None:
            exchange.request_ended = self._ignores_input = True

    def request_body(self, data: bytes) -> None:
        """A part of its body."""
        self._queue[-1].request_body(data)

    def request_end(self) -> None:
        """The request is complete."""
        self._queue[-1].request_end()

    # Calls of the exchange.

    def flush(self) -> None:
        """Send what was written."""
        self._idle_timer.reset()
        self.stream.flush()

    def keeps_alive(self, head: RequestHead) -> bool:
        """Whether the connection stays open after this request."""
        return head.keep_alive and not self._close_after

    def close_after(self) -> None:
        """Close the connection after the running request."""
        self._close_after = True

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
            self._queue[0].tunnel_data(undecided)
        self.stream.pause("upgrade", on=False)

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
        self.stream.pause("queue", on=len(self._queue) > 1)

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
                self.stream.pause("upgrade", on=False)
                self._parse(undecided)
        if self._half_closed:
            self._close()

    def _parse(self, data: bytes) -> None:
        try:
            self._undecided = self._parser.feed(data)
        except BadRequest as bad:
            self._refuse(bad.status, "the client's data is not HTTP")
        if self._undecided is not None:
            self.stream.pause("upgrade", on=True)

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
            self._close_after = True
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

    def _timed_out(self) -> None:
        """ALB's idle timeout: 504 for an idle target, 408 for an idle client."""
        first = self._queue[0] if self._queue else None
        if first and first.started and first.request_ended and not self._tunnel:
            first.fail(504, "idle timeout: the target sent nothing")
        elif self._ignores_input or self._tunnel or (first and first.responded):
            self.close_now(flush=False)
        elif first or self._parser.in_head:
            self._refuse(408, "idle timeout: the client sent nothing")
        else:
            self.transport.close()
        self.process_queue()


class Exchange:
    """One request and its response.

    Args:
        client: the connection of the request.
        head: the head of the request.
        refusal: the status to refuse it with, for a request that ALB does not route.
    """

    def __init__(
        self, client: HttpConnection, head: RequestHead, refusal: int | None = None
    ) -> None:
        self.client = client
        self.head = head
        self.trace_id = head.text(b"x-amzn-trace-id") or _new_trace_id()
        self.started = self.responded = self.request_ended = False
        self._refusal = refusal
        self._group: TargetGroup | None = None
        self._registration: Registration | None = None
        self._forwarding: Forwarding | None = None
        self._pending: list[bytes] = []
        self._unread = 0
        self._started = self._started_at = 0.0

    @property
    def is_finished(self) -> bool:
        """Whether the connection may start its next request."""
        return self.responded and self.request_ended

    def start(self) -> None:
        """Route the request: forward it, or respond to it."""
        self.started = True
        self._started, self._started_at = time.monotonic(), time.time()
        if self._refusal is not None:
            self._respond(error_page(self._refusal), "the request is invalid")
            return
        client = self.client
        decision = client.listener.router.decide(self.head, client.peer, client.bucket)
        if isinstance(decision, FixedResponse):
            self._respond(decision, None)
        elif isinstance(decision, Redirect):
            head = redirect_head(decision, self.head, client.listener.settings)
            self._respond_with(head, b"", None)
        elif not isinstance(decision, NoResponse):
            self._forward(decision.choose())

    def request_body(self, data: bytes) -> None:
        """Forward a part of the body; after the response, discard up to a limit."""
        if self._forwarding and not self.responded:
            self._forwarding.send(data)
        elif not self.started:
            self._pending.append(data)
        else:
            self._unread += len(data)
            if self._unread > _MAX_UNREAD:
                self.client.close_now(flush=True)

    def request_end(self) -> None:
        """Forward the end of the request."""
        self.request_ended = True
        if self._forwarding and not self.responded:
            self._forwarding.send_end()

    def fail(self, status: int, why: str) -> None:
        """Respond with an error, or cut a response that has started."""
        if self.responded:
            return
        begun = self._forwarding.response if self._forwarding else None
        self._drop()
        if begun is None:
            self._respond(error_page(status), why)
        else:
            self.end(begun.status, begun, why)
            self.client.close_now(flush=begun.has_length)

    def client_gone(self) -> None:
        """Cancel: the client's connection has ended."""
        if self.responded or not self.started:
            return
        begun = self._forwarding.response if self._forwarding else None
        if begun and begun.status == 101:
            self.end(101, begun, None)
        else:
            self.end(CLIENT_CLOSED, begun, "the client closed the connection")
        self._drop()

    def client_is_slow(self, *, slow: bool) -> None:
        """Pause the target while the client's buffer is full."""
        if self._forwarding:
            self._forwarding.pause(paused=slow)

    def tunnel_data(self, data: bytes) -> None:
        """Pass on what the client sends after status 101."""
        if self._forwarding:
            self._forwarding.send_raw(data)

    def end(self, status: int, response: ResponseHead | None, why: str | None) -> None:
        """Write the line of the access log: the response is complete."""
        self.responded = True
        if self._registration:
            self._registration.in_flight -= 1
        listener = self.client.listener
        listener.log_access(
            AccessRecord(
                listener_arn=listener.settings.arn,
                target_group_arn=self._group.settings.arn if self._group else None,
                target=self._registration.target if self._registration else None,
                method=self.head.method.decode("latin-1"),
                path=self.head.url.decode("latin-1"),
                status=status,
                target_status=response.status if response else None,
                started=self._started,
                started_at=self._started_at,
                duration=time.monotonic() - self._started,
                user_agent=self.head.text(b"user-agent"),
                trace_id=self.trace_id,
                error=why,
            )
        )

    def _forward(self, group: TargetGroup | None) -> None:
        self._group = group
        registration = group.choose() if group else None
        if registration is None:
            why = "no target is registered" if group else "every weight is 0"
            self._respond(error_page(503), why)
            return
        self._registration = registration
        registration.in_flight += 1
        if not self.request_ended and self.head.header(b"expect"):
            self.client.stream.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._forwarding = Forwarding(self, registration)
        for data in self._pending:
            self._forwarding.send(data)
        self._pending.clear()
        if self.request_ended:
            self._forwarding.send_end()
        self._forwarding.start()

    def _respond(self, response: FixedResponse, why: str | None) -> None:
        head = own_head(response.status, response.body, response.content_type)
        self._respond_with(head, response.body, why)

    def _respond_with(self, head: ResponseHead, body: bytes, why: str | None) -> None:
        keep = self.client.keeps_alive(self.head)
        stream = self.client.stream
        stream.write(write_response(head, self.head, chunked=False, keep_alive=keep))
        if self.head.method != b"HEAD":
            stream.write(body)
        self._pending.clear()
        self.end(head.status, None, why)

    def _drop(self) -> None:
        if self._forwarding:
            self._forwarding.drop()


class Forwarding:
    """The target's side of an exchange: sends the request, receives the response.

    Args:
        exchange: the request, which is notified of the result.
        registration: the target.
    """

    def __init__(self, exchange: Exchange, registration: Registration) -> None:
        self.response: ResponseHead | None = None
        self._exchange = exchange
        self._head = exchange.head
        self._client = exchange.client
        self._registration = registration
        self._upstream: UpstreamConnection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._reused = False
        self._chunk_request = exchange.head.is_chunked
        self._chunk_response = False
        self._pending: list[bytes] = []
        self._pending_size = 0

    # Calls of the exchange.

    def start(self) -> None:
        """Use an idle connection if the request may be repeated, else a new one."""
        may_reuse = self._head.method in _IDEMPOTENT and not self._head.has_body
        idle = self._registration.pool.take() if may_reuse else None
        if idle:
            self._reused = True
            self._send_request(idle)
        else:
            self._connect()

    def send(self, data: bytes) -> None:
        """Send a part of the request's body."""
        self.send_raw(write_chunk(data) if self._chunk_request else data)

    def send_end(self) -> None:
        """Send the end of the request."""
        if self._chunk_request:
            self.send_raw(LAST_CHUNK)
        if self._upstream:
            self._upstream.request_complete = True

    def send_raw(self, data: bytes) -> None:
        """Send bytes unchanged; until there is a connection, buffer them."""
        if self._upstream:
            self._upstream.transport.write(data)
            return
        self._pending.append(data)
        self._pending_size += len(data)
        if self._pending_size > HIGH_WATER:
            self._client.stream.pause("pending", on=True)

    def pause(self, *, paused: bool) -> None:
        """Pause or resume reading the response."""
        if self._upstream and not self._upstream.transport.is_closing():
            transport = self._upstream.transport
            (transport.pause_reading if paused else transport.resume_reading)()

    def drop(self) -> None:
        """Abandon the connection."""
        if self._connecting:
            self._connecting.cancel()
            self._connecting = None
        if self._upstream:
            self._upstream.abandon()
            self._upstream = None
        self._unpause()

    # Callbacks of the connection to the target.

    def response_head(self, head: ResponseHead) -> None:
        """Write the head, framed so that this client can tell where the body ends."""
        self.response = head
        unframed = head.has_body and not head.has_length
        self._chunk_response = unframed and not self._head.is_http_1_0
        if unframed and self._head.is_http_1_0:
            self._client.close_after()
        keep = self._client.keeps_alive(self._head)
        self._client.stream.write(
            write_response(
                head, self._head, chunked=self._chunk_response, keep_alive=keep
            )
        )
        if head.status == 101:
            self._client.start_tunnel()

    def response_body(self, data: bytes) -> None:
        """Write a part of the body."""
        self._client.stream.write(write_chunk(data) if self._chunk_response else data)

    def response_end(self) -> None:
        """Write the end of the response, and finish the exchange."""
        self._upstream = None
        if self._chunk_response:
            self._client.stream.write(LAST_CHUNK)
        self._unpause()
        if self.response:
            self._exchange.end(self.response.status, self.response, None)
        self._client.process_queue()

    def response_lost(self, why: str, *, untouched: bool) -> None:
        """Retry if an idle connection had been closed by the target; else fail."""
        self._upstream = None
        if self._reused and untouched:
            self._connect()
        elif self.response and self.response.status == 101:
            self._exchange.end(101, self.response, None)
            self._client.close_now(flush=True)
        else:
            self._exchange.fail(502, why)
            self._client.process_queue()

    def tunnel_data(self, data: bytes) -> None:
        """Write what the target sends after status 101."""
        self._client.stream.write(data)

    def flush(self) -> None:
        """Send the client what was written."""
        self._client.flush()

    def target_is_slow(self, *, slow: bool) -> None:
        """Pause the client while the target's buffer is full."""
        self._client.stream.pause("target", on=slow)

    # Connecting.

    def _connect(self) -> None:
        self._reused = False
        self._connecting = self._client.listener.spawn(self._open())

    async def _open(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                upstream = await self._registration.pool.connect()
        except TimeoutError:
            self._not_connected(504, "the connection to the target timed out")
        except OSError as error:
            self._not_connected(502, f"the target refused the connection: {error}")
        else:
            self._connecting = None
            self._send_request(upstream)

    def _not_connected(self, status: int, why: str) -> None:
        self._connecting = None
        self._exchange.fail(status, why)
        self._client.process_queue()

    def _send_request(self, upstream: UpstreamConnection) -> None:
        self._upstream = upstream
        settings = self._client.listener.settings
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
        upstream.send_request(self, b"".join(request), method=self._head.method)
        upstream.request_complete = self._exchange.request_ended
        self._client.stream.pause("pending", on=False)
        self.pause(paused=self._client.is_slow)

    def _unpause(self) -> None:
        self._client.stream.pause("target", on=False)
        self._client.stream.pause("pending", on=False)


def _new_trace_id() -> str:
    return f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"
