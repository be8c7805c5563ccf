"""A client's connection to an HTTP or HTTPS listener."""

from __future__ import annotations

import asyncio
import typing
from collections import deque
from dataclasses import replace

from rehearsal.data_plane.exchange import Exchange
from rehearsal.data_plane.message import RequestHead
from rehearsal.data_plane.ports import Office
from rehearsal.data_plane.request_reader import BadRequest, RequestReader
from rehearsal.data_plane.silence import SilenceWatch
from rehearsal.data_plane.wire import Wire

#: How long a client may take to read why it was refused, in seconds.
_LINGER = 2.0
_UNREADABLE = RequestHead(method=b"-", url=b"-", headers=(), keep_alive=False)


class HttpConnection(asyncio.Protocol):
    """Read requests, and let each be answered, in order.

    A WebSocket is passed through as raw bytes after the target's 101. Any other upgrade
    a client offers is ignored, as ALB does; with a body it is refused (501).
    """

    def __init__(self, office: Office) -> None:
        self.office = office
        self.peer = ""
        self.luck = office.luck()
        self.is_slow = False
        self.transport: asyncio.Transport
        self.wire: Wire
        self._reader = RequestReader(self, b"localhost:%d" % office.settings.port)
        self._queue: deque[Exchange] = deque()
        self._early: bytes | None = None
        """What came after a request for a WebSocket, while that is undecided."""
        self._pumping = self._tunnel = self._deaf = False
        self._half_closed = self._close_after = False
        self._watch: SilenceWatch

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Get ready."""
        self.transport = typing.cast("asyncio.Transport", transport)
        self.wire = Wire(self.transport)
        self.peer = self.transport.get_extra_info("peername")[0]
        self._watch = SilenceWatch(self.office.idle_timeout, self._silent)
        self.office.arrived(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """Let the running exchange know."""
        self.office.left(self)
        self._deaf = True
        self._watch.stop()
        while self._queue:
            self._queue.popleft().client_gone()

    def pause_writing(self) -> None:
        """Slow the target down."""
        self.is_slow = True
        if self._queue:
            self._queue[0].client_is_slow(slow=True)

    def resume_writing(self) -> None:
        """Let the target go on."""
        self.is_slow = False
        self._watch.heard()
        if self._queue:
            self._queue[0].client_is_slow(slow=False)

    def eof_received(self) -> bool:
        """Finish what was wholly asked, then close."""
        self._half_closed = True
        if self._tunnel or self._deaf or self.office.settings.protocol.is_encrypted:
            return False
        return bool(self._queue) and self._queue[-1].request_ended

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._watch.heard()
        if self._deaf:
            return
        if self._tunnel:
            self._queue[0].tunnel_data(data)
        elif self._early is not None:
            self._early += data
        else:
            self._read(data)
            self.pump()

    # What the reader tells.

    def request_head(self, head: RequestHead, refusal: int | None) -> None:
        """A request has begun; the rest of a refused one is not read."""
        exchange = Exchange(self, head, refusal)
        self._queue.append(exchange)
        if refusal is not None:
            exchange.request_ended = self._deaf = True

    def request_body(self, data: bytes) -> None:
        """Some of its body has come."""
        self._queue[-1].request_body(data)

    def request_end(self) -> None:
        """It is complete."""
        self._queue[-1].request_end()

    # What the exchange asks for.

    def flush(self) -> None:
        """Send what was written."""
        self._watch.heard()
        self.wire.flush()

    def keeps_alive(self, head: RequestHead) -> bool:
        """Whether the connection stays after this request."""
        return head.keep_alive and not self._close_after

    def close_after(self) -> None:
        """End the connection after the running request."""
        self._close_after = True

    def give_up(self, *, cleanly: bool) -> None:
        """End the connection now."""
        self._deaf = True
        if cleanly:
            self.flush()
            self.transport.close()
        else:
            self.transport.abort()

    def tunnel(self) -> None:
        """Pass on what the client sends, unread, from now on."""
        self._tunnel = True
        early, self._early = self._early, None
        if early:
            self._queue[0].tunnel_data(early)
        self.wire.hold("upgrade", on=False)

    def pump(self) -> None:
        """Go on with the next request once this one is over."""
        if self._pumping or self.transport.is_closing():
            return
        self._pumping = True
        try:
            self._answer_in_order()
        finally:
            self._pumping = False
        self.flush()
        self.wire.hold("queue", on=len(self._queue) > 1)

    def _answer_in_order(self) -> None:
        while self._queue and not self.transport.is_closing():
            first = self._queue[0]
            if not first.started:
                first.start()
            if not first.over:
                return
            self._queue.popleft()
            if not self.keeps_alive(first.head):
                self._queue.clear()
                self._close()
            elif self._early is not None:
                early, self._early = self._early, None
                self.wire.hold("upgrade", on=False)
                self._read(early)
        if self._half_closed:
            self._close()

    def _read(self, data: bytes) -> None:
        try:
            self._early = self._reader.feed(data)
        except BadRequest as bad:
            self._refuse(bad.status, "what the client sent is not HTTP")
        if self._early is not None:
            self.wire.hold("upgrade", on=True)

    def _refuse(self, status: int, why: str) -> None:
        """Answer what cannot be read on, then close."""
        self._deaf = True
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
        if not self._deaf or not self.transport.can_write_eof():
            self.transport.close()
            return
        # To close with something unread would take the answer back from the client.
        self.transport.write_eof()
        asyncio.get_running_loop().call_later(_LINGER, self.transport.abort)

    def _silent(self) -> None:
        """ALB's idle timeout: 504 for a silent target, 408 for a silent client."""
        first = self._queue[0] if self._queue else None
        if first and first.started and first.request_ended and not self._tunnel:
            first.fail(504, "the target was silent for too long")
        elif self._deaf or self._tunnel or (first and first.answered):
            self.give_up(cleanly=False)
        elif first or self._reader.in_head:
            self._refuse(408, "the client was silent for too long")
        else:
            self.transport.close()
        self.pump()
