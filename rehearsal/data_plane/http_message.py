"""HTTP/1.1 messages: parse requests, write heads, build the load balancer's own."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from email.utils import formatdate

import httptools

from hookgate_rehearsal.data_plane.settings import (
    FixedResponse,
    ListenerSettings,
    Redirect,
)

#: ALB's limit for all headers of a request together, in bytes.
MAX_HEAD = 64 * 1024
#: The amount buffered for a slow peer before the other side is paused, in bytes.
HIGH_WATER = 64 * 1024
#: ALB's status for a client that closed its connection before the response.
CLIENT_CLOSED = 460
LAST_CHUNK = b"0\r\n\r\n"

#: (name in lower case, name as sent, value)
Header = tuple[bytes, bytes, bytes]

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
#: Headers that ALB writes itself. It responds to ``Expect`` without the target.
_REWRITTEN = _HOP_BY_HOP | {
    b"expect",
    b"x-forwarded-for",
    b"x-forwarded-proto",
    b"x-forwarded-port",
    b"x-amzn-trace-id",
}
#: Headers that are forwarded even if a ``Connection`` header names them.
_FRAMING = frozenset({b"host", b"content-length"})
_UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
_DEFAULT_PORTS = {"HTTP": "80", "HTTPS": "443"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestHead:
    """The request line and the headers of a request."""

    method: bytes
    url: bytes
    headers: tuple[Header, ...]
    is_http_1_0: bool = False
    keep_alive: bool = True
    wants_websocket: bool = False

    @property
    def path(self) -> bytes:
        """The path without its query."""
        return self.url.partition(b"?")[0]

    @property
    def query(self) -> bytes:
        """The query without its question mark."""
        return self.url.partition(b"?")[2]

    def header(self, name: bytes) -> bytes | None:
        """The first header with this lower-case name."""
        for lower, _, value in self.headers:
            if lower == name:
                return value
        return None

    def text(self, name: bytes) -> str:
        """The first header with this lower-case name as text, or an empty string."""
        return (self.header(name) or b"").decode("latin-1")

    @property
    def is_chunked(self) -> bool:
        """Whether the body is chunked."""
        return self.header(b"transfer-encoding") is not None

    @property
    def has_body(self) -> bool:
        """Whether a body follows."""
        return self.is_chunked or (self.header(b"content-length") or b"0") != b"0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseHead:
    """The status line and the headers of a response."""

    status: int
    reason: bytes
    headers: tuple[Header, ...]
    has_body: bool
    has_length: bool
    """Whether a Content-Length header gives the length of the body."""


# Write.


def write_request(
    head: RequestHead, settings: ListenerSettings, peer: str, trace_id: str
) -> bytes:
    """Write the head of the request to the target.

    Args:
        head: the head of the client's request.
        settings: of the listener.
        peer: the client's address.
        trace_id: the value of ``X-Amzn-Trace-Id``.
    """
    protocol = b"https" if settings.protocol.is_encrypted else b"http"
    port = b"%d" % settings.port
    if settings.keeps_forwarded:
        protocol = head.header(b"x-forwarded-proto") or protocol
        port = head.header(b"x-forwarded-port") or port
    out = [head.method, b" ", head.url, b" HTTP/1.1\r\n"]
    dropped = _REWRITTEN | _named_by_connection(head.headers)
    seen: list[bytes] = []
    for lower, name, value in head.headers:
        if lower == b"x-forwarded-for":
            seen.append(value)
        elif lower not in dropped:
            out += (name, b": ", value, b"\r\n")
    if head.is_chunked:
        out.append(b"Transfer-Encoding: chunked\r\n")
    if head.wants_websocket:
        out.append(_UPGRADE)
    out += (
        *(b"X-Forwarded-For: ", b", ".join([*seen, peer.encode()])),
        *(b"\r\nX-Forwarded-Proto: ", protocol),
        *(b"\r\nX-Forwarded-Port: ", port),
        *(b"\r\nX-Amzn-Trace-Id: ", trace_id.encode("latin-1"), b"\r\n\r\n"),
    )
    return b"".join(out)


def write_response(
    head: ResponseHead, request: RequestHead, *, chunked: bool, keep_alive: bool
) -> bytes:
    """Write the head of the response to the client."""
    out = [b"HTTP/1.1 %d %s\r\n" % (head.status, head.reason)]
    dropped = _HOP_BY_HOP | _named_by_connection(head.headers)
    for lower, name, value in head.headers:
        if lower in dropped or (chunked and lower == b"content-length"):
            continue
        out += (name, b": ", value, b"\r\n")
    if chunked:
        out.append(b"Transfer-Encoding: chunked\r\n")
    if head.status == 101:
        out.append(_UPGRADE)
    elif not keep_alive:
        out.append(b"Connection: close\r\n")
    elif request.is_http_1_0:
        out.append(b"Connection: keep-alive\r\n")
    out.append(b"\r\n")
    return b"".join(out)


def write_chunk(data: bytes) -> bytes:
    """Write one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _named_by_connection(headers: Iterable[Header]) -> frozenset[bytes]:
    names: set[bytes] = set()
    for lower, _, value in headers:
        if lower == b"connection":
            names.update(name.strip().lower() for name in value.split(b","))
    return frozenset(names - _FRAMING)


# Build the load balancer's own responses.


def own_head(response: FixedResponse, location: str | None = None) -> ResponseHead:
    """The head of a response by the load balancer itself."""
    headers: list[Header] = [
        (b"server", b"Server", b"awselb/2.0"),
        (b"date", b"Date", formatdate(usegmt=True).encode()),
        (b"content-type", b"Content-Type", response.content_type.encode("latin-1")),
        (b"content-length", b"Content-Length", b"%d" % len(response.body)),
    ]
    if location is not None:
        headers.append((b"location", b"Location", location.encode("latin-1")))
    return ResponseHead(
        status=response.status,
        reason=_reason(response.status),
        headers=tuple(headers),
        has_body=True,
        has_length=True,
    )


def error_page(status: int) -> FixedResponse:
    """ALB's page for an error status of its own."""
    title = b"%d %b" % (status, _reason(status))
    return FixedResponse(
        status=status,
        content_type="text/html",
        body=b"<html>\r\n<head><title>%b</title></head>\r\n<body>\r\n"
        b"<center><h1>%b</h1></center>\r\n</body>\r\n</html>\r\n" % (title, title),
    )


def redirect_location(
    redirect: Redirect, request: RequestHead, listener: ListenerSettings
) -> str:
    """The URL of a redirect, its ``#{…}`` replaced from the request."""
    host, _, port = request.text(b"host").partition(":")
    parts = {
        "protocol": str(listener.protocol),
        "host": host,
        "port": port or str(listener.port),
        "path": request.path.decode("latin-1").removeprefix("/"),
        "query": request.query.decode("latin-1"),
    }

    def fill(template: str) -> str:
        return re.sub(r"#\{(\w+)\}", lambda m: parts.get(m[1], m[0]), template)

    protocol, port = fill(redirect.protocol), fill(redirect.port)
    query = fill(redirect.query)
    suffix = "" if _DEFAULT_PORTS.get(protocol) == port else f":{port}"
    return (
        f"{protocol.lower()}://{fill(redirect.host)}{suffix}"
        f"{fill(redirect.path)}{'?' if query else ''}{query}"
    )


def _reason(status: int) -> bytes:
    return http.client.responses.get(status, "").encode("latin-1")


# Parse requests.


class BadMessage(Exception):
    """The data is not a valid message, or its headers are too large."""


class MessageParser:
    """Parses messages with httptools, which calls its methods ``on_…``."""

    parser: httptools.HttpRequestParser | httptools.HttpResponseParser
    headers: list[Header]
    in_head = False
    _head_size = 0

    def feed(self, data: bytes) -> bytes | None:
        """Parse data.

        Returns:
            The data after an upgrade; ``None`` if there was none.

        Raises:
            BadMessage: the data is not HTTP, or a head is too large.
        """
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return data[upgrade.args[0] :]
        except httptools.HttpParserCallbackError as error:
            raise error.__context__ or error from None
        except httptools.HttpParserError as error:
            raise BadMessage(f"not HTTP: {error}") from None
        if self.in_head:
            self._head_size += len(data)
            if self._head_size > MAX_HEAD:
                raise BadMessage(f"the headers exceed {MAX_HEAD} bytes")
        return None

    def on_message_begin(self) -> None:
        """A head starts."""
        self.headers, self._head_size, self.in_head = [], 0, True

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; one after the body is a trailer, which ALB drops."""
        if self.in_head:
            self.headers.append((name.lower(), name, value))


def read_request(
    parser: httptools.HttpRequestParser, url: bytes, headers: list[Header], port: int
) -> tuple[RequestHead, int | None]:
    """The head of a request, and the status with which ALB refuses it, if it does.

    Args:
        parser: has parsed the head.
        url: the request target.
        headers: the headers.
        port: the listener's, for an HTTP/1.0 request without a Host header.
    """
    old = parser.get_http_version() == "1.0"
    hosts = [value for lower, _, value in headers if lower == b"host"]
    if not hosts and old:
        hosts = [b"localhost:%d" % port]
        headers = [*headers, (b"host", b"Host", hosts[0])]
    offered = parser.should_upgrade()
    head = RequestHead(
        method=parser.get_method(),
        url=_origin_form(url),
        headers=tuple(headers),
        is_http_1_0=old,
        keep_alive=parser.should_keep_alive(),
        wants_websocket=offered
        and any(
            lower == b"upgrade" and value.lower() == b"websocket"
            for lower, _, value in headers
        ),
    )
    refusal = None
    if len(hosts) != 1 or head.method == b"CONNECT":
        refusal = 400
    elif head.method == b"TRACE":
        refusal = 405
    elif offered and head.has_body:
        refusal = 501
    return (head if refusal is None else replace(head, keep_alive=False)), refusal


def _origin_form(url: bytes) -> bytes:
    """The path and query of a request whose target includes the host."""
    if url.startswith(b"/") or b"://" not in url:
        return url
    parsed = httptools.parse_url(url)
    query = b"?" + parsed.query if parsed.query else b""
    return (parsed.path or b"/") + query
