"""Connections to a target: kept while it likes, one request at a time."""

from __future__ import annotations

import asyncio
import typing

import httptools

from rehearsal.data_plane.message import HIGH_WATER, MAX_HEAD, Header, ResponseHead
from rehearsal.data_plane.ports import AnswerReader, Shelf

_NO_BODY = frozenset({204, 304})


class UpstreamConnection(asyncio.Protocol):
    """One connection to a target, reading one answer at a time."""

    def __init__(self, pool: Shelf) -> None:
        self._pool = pool
        self._reader: AnswerReader | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._untouched = self._in_head = True
        self._for_head = self._ended = self._keep = self._until_close = False
        self._broken = self._tunnel = False
        self.asked = False
        """Whether the whole request is sent."""
        self._head_size = 0
        self._reason = b""
        self._headers: list[Header] = []
        self.transport: asyncio.Transport

    # What the exchange does.

    def ask(self, reader: AnswerReader, data: bytes, *, method: bytes) -> None:
        """Send the start of a request, and tell the reader the answer."""
        self._reader = reader
        self._for_head = method == b"HEAD"
        self._untouched, self._head_size = True, 0
        self.transport.resume_reading()
        self.transport.write(data)

    def abandon(self) -> None:
        """Give up the answer and the connection."""
        self._reader = None
        self.transport.abort()

    @property
    def is_idle(self) -> bool:
        """Whether it can be asked."""
        return self._reader is None and not self.transport.is_closing()

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Get ready."""
        self.transport = typing.cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER)
        self._pool.admit(self)

    def pause_writing(self) -> None:
        """Slow the client down."""
        if self._reader:
            self._reader.target_is_slow(slow=True)

    def resume_writing(self) -> None:
        """Let the client go on."""
        if self._reader:
            self._reader.target_is_slow(slow=False)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        reader = self._reader
        if reader is None:
            self.transport.abort()  # nobody asked
            return
        self._untouched = False
        if self._tunnel:
            reader.tunnel_data(data)
        else:
            self._parse(data, reader)
        reader.flush()

    def eof_received(self) -> None:
        """End an answer whose length nobody told."""
        if self._until_close and not self._ended:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever still waits."""
        self._pool.forget(self)
        if self._reader is not None:
            how = "was reset" if exc else "was closed"
            self._lose(f"the connection {how} by the target")

    # What the parser tells.

    def on_message_begin(self) -> None:
        """A head starts."""
        self._broken = self._broken or self._ended
        self._headers, self._reason, self._in_head = [], b"", True

    def on_status(self, reason: bytes) -> None:
        """The reason phrase, perhaps in parts."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; one after the body is a trailer, and dropped."""
        if self._in_head:
            self._headers.append((name.lower(), name, value))

    def on_headers_complete(self) -> None:
        """The head is complete; an informational one is dropped."""
        self._in_head = False
        status = self._parser.get_status_code()
        if self._reader is None or self._ended or (status < 200 and status != 101):
            return
        names = {lower for lower, _, _ in self._headers}
        has_length = b"content-length" in names
        has_body = not (self._for_head or status in _NO_BODY or status == 101)
        chunked = b"transfer-encoding" in names
        self._until_close = has_body and not has_length and not chunked
        self._keep = self._parser.should_keep_alive()
        self._reader.answer_head(
            ResponseHead(
                status=status,
                reason=self._reason,
                headers=tuple(self._headers),
                has_body=has_body,
                has_length=has_length,
            )
        )
        self._tunnel = status == 101
        self._ended = self._for_head

    def on_body(self, data: bytes) -> None:
        """Some of the body."""
        if self._ended:
            self._broken = True
        elif self._reader is not None:
            self._reader.answer_body(data)

    def on_message_complete(self) -> None:
        """The answer is complete, unless it was an informational one."""
        if self._parser.get_status_code() >= 200:
            self._ended = True

    def _parse(self, data: bytes, reader: AnswerReader) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if rest := data[upgrade.args[0] :]:
                reader.tunnel_data(rest)
        except httptools.HttpParserCallbackError as error:
            raise error.__context__ or error from None
        except httptools.HttpParserError as error:
            if not self._ended:
                self._lose(f"the target's answer is not HTTP: {error}")
            self.transport.abort()
        if self._in_head:
            self._head_size += len(data)
            if self._head_size > MAX_HEAD:
                self._lose(f"the target's headers exceed {MAX_HEAD} bytes")
                self.transport.abort()
        if self._ended and self._reader is reader:
            self._finish()

    def _finish(self) -> None:
        reader, self._reader = self._reader, None
        reusable = (
            self._keep and self.asked and not self._broken and not self._until_close
        )
        if self._for_head:
            self._parser = httptools.HttpResponseParser(self)
        self._ended = self._until_close = False
        if reusable:
            self._pool.give_back(self)
        else:
            self.transport.abort()
        if reader:
            reader.answer_end()
            reader.flush()

    def _lose(self, why: str) -> None:
        reader, self._reader = self._reader, None
        if reader:
            reader.answer_lost(why, untouched=self._untouched)
            reader.flush()
