"""What a load balancer answers by itself: fixed responses, redirects and errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus

from rehearsal.data_plane.message import Header, RequestHead, ResponseHead
from rehearsal.data_plane.rules import FixedResponse, Redirect
from rehearsal.data_plane.settings import ListenerSettings

_DEFAULT_PORTS = {"HTTP": "80", "HTTPS": "443"}

#: A client that closed its connection before it was answered, by ALB's number.
CLIENT_CLOSED = 460


def head_of(
    status: int, body: bytes, content_type: str, location: str | None = None
) -> ResponseHead:
    """The head of an answer of the load balancer's own."""
    headers: list[Header] = [
        (b"server", b"Server", b"awselb/2.0"),
        (b"date", b"Date", formatdate(usegmt=True).encode()),
        (b"content-type", b"Content-Type", content_type.encode("latin-1")),
        (b"content-length", b"Content-Length", b"%d" % len(body)),
    ]
    if location is not None:
        headers.append((b"location", b"Location", location.encode("latin-1")))
    return ResponseHead(
        status=status,
        reason=phrase(status),
        headers=tuple(headers),
        has_body=True,
        has_length=True,
    )


def phrase(status: int) -> bytes:
    """The reason phrase of a status; empty for a number that has none."""
    try:
        return HTTPStatus(status).phrase.encode("latin-1")
    except ValueError:
        return b""


def error_page(status: int) -> FixedResponse:
    """ALB's page for an error of its own."""
    title = b"%d %b" % (status, phrase(status))
    return FixedResponse(
        status=status,
        content_type="text/html",
        body=b"<html>\r\n<head><title>%b</title></head>\r\n<body>\r\n"
        b"<center><h1>%b</h1></center>\r\n</body>\r\n</html>\r\n" % (title, title),
    )


def redirection(redirect: Redirect, where: str) -> ResponseHead:
    """The head of an answer that sends the client elsewhere."""
    return head_of(redirect.status, b"", "text/html", where)


def location(
    redirect: Redirect, request: RequestHead, listener: ListenerSettings
) -> str:
    """Where a redirect leads, its ``#{…}`` filled from the request."""
    host, _, port = request.text(b"host").partition(":")
    parts = {
        "protocol": str(listener.protocol),
        "host": host,
        "port": port or str(listener.port),
        "path": request.path.decode("latin-1").removeprefix("/"),
        "query": request.query.decode("latin-1"),
    }
    protocol = _fill(redirect.protocol, parts)
    port = _fill(redirect.port, parts)
    query = _fill(redirect.query, parts)
    at = "" if _DEFAULT_PORTS.get(protocol) == port else f":{port}"
    return (
        f"{protocol.lower()}://{_fill(redirect.host, parts)}{at}"
        f"{_fill(redirect.path, parts)}{'?' if query else ''}{query}"
    )


def _fill(template: str, parts: Mapping[str, str]) -> str:
    return re.sub(r"#\{(\w+)\}", lambda match: parts.get(match[1], match[0]), template)
