"""The heads of requests and answers: read from one side, written to the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

#: ALB's bound on all headers of a request together, in bytes.
MAX_HEAD = 64 * 1024
#: How much is kept for a slow side before the fast one is paused, in bytes.
HIGH_WATER = 64 * 1024

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
#: What ALB writes itself. It answers ``Expect`` without asking the target.
_REWRITTEN = _HOP_BY_HOP | {
    b"expect",
    b"x-forwarded-for",
    b"x-forwarded-proto",
    b"x-forwarded-port",
    b"x-amzn-trace-id",
}
#: Never dropped because a ``Connection`` header names them.
_FRAMING = frozenset({b"host", b"content-length"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestHead:
    """What a client asked for."""

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
        """The first header of this lower-case name."""
        for lower, _, value in self.headers:
            if lower == name:
                return value
        return None

    def text(self, name: bytes) -> str:
        """The first header of this lower-case name as text, or nothing."""
        return (self.header(name) or b"").decode("latin-1")

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return self.header(b"transfer-encoding") is not None

    @property
    def has_body(self) -> bool:
        """Whether a body follows."""
        return self.is_chunked or (self.header(b"content-length") or b"0") != b"0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseHead:
    """What a target answers."""

    status: int
    reason: bytes
    headers: tuple[Header, ...]
    has_body: bool
    has_length: bool
    """Whether a Content-Length says where the body ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """What the load balancer tells the target about the client."""

    peer: bytes
    protocol: bytes
    port: bytes
    trace_id: bytes


def write_request(head: RequestHead, forwarded: Forwarded) -> bytes:
    """Write the head that goes to the target."""
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
    seen.append(forwarded.peer)
    out += (
        *(b"X-Forwarded-For: ", b", ".join(seen)),
        *(b"\r\nX-Forwarded-Proto: ", forwarded.protocol),
        *(b"\r\nX-Forwarded-Port: ", forwarded.port),
        *(b"\r\nX-Amzn-Trace-Id: ", forwarded.trace_id, b"\r\n\r\n"),
    )
    return b"".join(out)


def write_response(
    head: ResponseHead, request: RequestHead, *, chunked: bool, keep_alive: bool
) -> bytes:
    """Write the head that goes to the client."""
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


_UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
LAST_CHUNK = b"0\r\n\r\n"


def _named_by_connection(headers: Iterable[Header]) -> frozenset[bytes]:
    names: set[bytes] = set()
    for lower, _, value in headers:
        if lower == b"connection":
            names.update(name.strip().lower() for name in value.split(b","))
    return frozenset(names - _FRAMING)
