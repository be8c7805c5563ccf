"""Read the requests of a client off its connection."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import httptools

from rehearsal.data_plane.message import MAX_HEAD, Header, RequestHead


class RequestSink(Protocol):
    """Who is told what was read."""

    def request_head(self, head: RequestHead, refusal: int | None) -> None:
        """A request has begun; ``refusal`` is the status to refuse it with."""

    def request_body(self, data: bytes) -> None:
        """Some of its body has come."""

    def request_end(self) -> None:
        """It is complete."""


class BadRequest(Exception):
    """What came is no request.

    Args:
        status: what to answer.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class RequestReader:
    """An HTTP/1 parser, bounded.

    Args:
        sink: who is told.
        host: the Host header of a request that may come without one.
    """

    def __init__(self, sink: RequestSink, host: bytes) -> None:
        self._sink = sink
        self._host = host
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: list[Header] = []
        self._head_size = 0
        self._upgrade = False
        self.in_head = False

    def feed(self, data: bytes) -> bytes | None:
        """Read on.

        Returns:
            What came after a request to go on as a WebSocket; ``None`` if there was no
            such request.

        Raises:
            BadRequest: it is not HTTP, or its head is too large.
        """
        while True:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                if self._upgrade:
                    return data
                continue
            except httptools.HttpParserCallbackError as error:
                raise error.__context__ or error from None
            except httptools.HttpParserError:
                raise BadRequest(400) from None
            if self.in_head:
                self._head_size += len(data)
                if self._head_size > MAX_HEAD:
                    raise BadRequest(400)
            return None

    def on_message_begin(self) -> None:
        """A request starts."""
        self._url, self._headers, self._head_size = b"", [], 0
        self.in_head, self._upgrade = True, False

    def on_url(self, part: bytes) -> None:
        """What is asked for, perhaps in parts."""
        self._url += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; one after the body is a trailer, and dropped."""
        if self.in_head:
            self._headers.append((name.lower(), name, value))

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self.in_head = False
        parser = self._parser
        old = parser.get_http_version() == "1.0"
        hosts = [value for lower, _, value in self._headers if lower == b"host"]
        if not hosts and old:
            self._headers.append((b"host", b"Host", self._host))
        offered = parser.should_upgrade()
        head = RequestHead(
            method=parser.get_method(),
            url=_origin_form(self._url),
            headers=tuple(self._headers),
            is_http_1_0=old,
            keep_alive=parser.should_keep_alive(),
            wants_websocket=offered and _names_websocket(self._headers),
        )
        refusal = _refusal(head, hosts=len(hosts), offered=offered)
        self._upgrade = head.wants_websocket and refusal is None
        if refusal is not None:
            head = replace(head, keep_alive=False)
        self._sink.request_head(head, refusal)

    def on_body(self, data: bytes) -> None:
        """Some of the body."""
        self._sink.request_body(data)

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._sink.request_end()


def _refusal(head: RequestHead, *, hosts: int, offered: bool) -> int | None:
    """The status that ALB refuses a well-formed request with, if it does."""
    if hosts > 1 or (hosts == 0 and not head.is_http_1_0):
        return 400
    if head.method == b"CONNECT":
        return 400
    if head.method == b"TRACE":
        return 405
    if offered and head.has_body:
        return 501
    return None


def _names_websocket(headers: list[Header]) -> bool:
    return any(
        lower == b"upgrade" and value.lower() == b"websocket"
        for lower, _, value in headers
    )


def _origin_form(url: bytes) -> bytes:
    """The path and query of a request that named its host as well."""
    if url.startswith(b"/") or b"://" not in url:
        return url
    parsed = httptools.parse_url(url)
    query = b"?" + parsed.query if parsed.query else b""
    return (parsed.path or b"/") + query
