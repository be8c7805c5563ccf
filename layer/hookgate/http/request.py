"""An HTTP request, its response, and redirects."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Protocol
from urllib.parse import urljoin, urlsplit

from pydantic import BeforeValidator, WithJsonSchema

from hookgate.codes import Code
from hookgate.errors import InvalidValue, NoAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The TLS settings of a client.

    Args:
        ca: certificates in PEM to trust instead of public authorities.
        server_name: the name to request and verify instead of the host.
        certificate: the client's certificate in PEM.
        key: its key in PEM.
        minimum: the oldest version, ``1.2`` or ``1.3``.
        maximum: the newest version.
        verify: whether to verify the certificate of the server.
    """

    ca: str = ""
    server_name: str = ""
    certificate: str = ""
    key: str = field(default="", repr=False)
    minimum: str = "1.2"
    maximum: str = "1.3"
    verify: bool = True

    @property
    def waiver(self) -> str:
        """The waiver if nothing is verified, else empty."""
        return "" if self.verify else "verify: false, the certificate is not verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request.

    Args:
        method: the method.
        path: the path, with a query if any.
        headers: the headers to send.
        body: the body, if any.
        timeout: maximum time of the request with all redirects, in seconds.
        max_body: maximum size of the response body after decompression, in bytes.
        follow: maximum number of redirects to follow, all on the same listener.
        http2: whether to use HTTP/2 if TLS negotiates it.
        encodings: the encodings to accept.
        ip: ``4`` or ``6`` for one version of IP, ``4?`` or ``6?`` to prefer one.
        trust: the TLS settings.
    """

    method: str = "GET"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout: float = 10.0
    max_body: int = 1024 * 1024
    follow: int = 0
    http2: bool = True
    encodings: tuple[str, ...] = ("gzip", "deflate", "br")
    ip: str = ""
    trust: Trust = field(default_factory=Trust)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """The parts of a duration in seconds, named as in blackbox_exporter.

    ``processing`` is from the last byte of the request to the first of the response,
    ``transfer`` from there to its last. ``tls`` is 0 without TLS.
    """

    resolve: float
    connect: float
    tls: float
    processing: float
    transfer: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """A redirect that was followed: its URL and its Location."""

    status: int
    url: str
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The certificate of the server.

    ``names`` are its subject alternative names, without their type. The chain was
    verified, unless the plan has ``verify: false``.
    """

    subject: str
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP response.

    Args:
        status: the status code.
        headers: the headers; a comma joins those of one name.
        body: the body after decompression.
        duration: seconds from connecting to the last byte, with all redirects.
        peer: the address of the listener.
        http_version: ``1.0``, ``1.1`` or ``2``.
        url: the URL of the final response.
        fields: every header of the final response, unchanged.
        cookies: every ``Set-Cookie``.
        redirects: the redirects that were followed.
        phases: the parts of the duration of the last exchange, if measured.
        certificate: the certificate of the server; None without TLS.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    duration: float
    peer: str
    http_version: str
    url: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    cookies: tuple[str, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    phases: Phases | None = None
    certificate: Certificate | None = None

    @property
    def text(self) -> str:
        """The body as UTF-8, with replacement characters where it is not."""
        return self.body.decode("utf-8", errors="replace")

    def header(self, name: str) -> str | None:
        """The value of a header, its name in any case, or None if it is missing."""
        wanted = name.lower()
        return next(
            (value for key, value in self.headers.items() if key.lower() == wanted),
            None,
        )


class HttpClient(Protocol):
    """Sends requests to one listener."""

    def __call__(self, request: Request) -> Reply:
        """Send a request over a new connection.

        Raises:
            NoAnswer: refused, reset, too slow, too large or not HTTP.
            NotGreen: another than the replacement task set responded.
            CannotMeasure: there is no such listener.
        """
        ...


_STATUS = re.compile(r"[1-5](?:\d\d|xx)")

_ONE = {
    "anyOf": [
        {"type": "integer", "minimum": 100, "maximum": 599},
        {"type": "string", "pattern": r"^[1-5](\d\d|xx)$"},
    ]
}


def statuses(value: object) -> tuple[str, ...]:
    """Read statuses and classes of statuses (RFC 9110, section 15).

    Raises:
        ValueError: one is neither.
    """
    many = value if isinstance(value, list | tuple) else [value]
    read = tuple(str(each) for each in many)
    for each in read:
        if not _STATUS.fullmatch(each):
            raise InvalidValue(
                f"{each!r} is not a status: write 200, 2xx or a list of both",
                code=Code.OPTION_STATUS,
            )
    return read


def status_in(status: int, wanted: Collection[str]) -> bool:
    """Whether ``wanted`` has ``status`` or its class."""
    return str(status) in wanted or f"{status // 100}xx" in wanted


Statuses = Annotated[
    tuple[str, ...],
    BeforeValidator(statuses),
    WithJsonSchema({"anyOf": [*_ONE["anyOf"], {"type": "array", "items": _ONE}]}),
]

_REDIRECTS = {301, 302, 303, 307, 308}

_PORTS = {"http": 80, "https": 443}


def followed(ask: Callable[[Request], Reply], request: Request) -> Reply:
    """Send a request, and follow at most ``request.follow`` redirects.

    The method follows RFC 9110, 15.4: a 303 changes all but HEAD to GET, and so do 301
    and 302 change POST, as in every browser.

    Args:
        ask: sends one request to the listener.
        request: the first.

    Raises:
        NoAnswer: a redirect leads away from the listener or in a circle, or there are
            too many.
    """
    passed: list[Redirect] = []
    reply, duration, jar = ask(request), 0.0, set[str]()
    first = reply.url
    seen: set[object] = set()
    while request.follow and reply.status in _REDIRECTS and reply.header("Location"):
        location = reply.header("Location") or ""
        passed.append(Redirect(status=reply.status, url=reply.url, location=location))
        if len(passed) > request.follow:
            raise NoAnswer(
                f"more than {request.follow} redirects: {_way(passed)}",
                code=Code.HTTP_REDIRECTS,
            )
        duration += reply.duration
        jar.update(reply.cookies)
        step = (request.method, reply.url, frozenset(jar))
        if step in seen:
            raise NoAnswer(
                f"the redirects form a loop: {_way(passed)}",
                code=Code.HTTP_REDIRECTS,
            )
        seen.add(step)
        request = _next(request, reply, _path(reply.url, location, first, passed))
        reply = ask(request)
    return replace(reply, redirects=tuple(passed), duration=reply.duration + duration)


def _path(url: str, location: str, first: str, passed: list[Redirect]) -> str:
    try:
        to = urlsplit(urljoin(url, location))
        leads = (to.scheme, to.hostname, to.port or _PORTS.get(to.scheme))
    except ValueError:
        raise NoAnswer(
            f"the redirect to {location[:200]!r} is not a valid URL",
            code=Code.HTTP_REDIRECTS,
        ) from None
    own = urlsplit(first)
    if leads != (own.scheme, own.hostname, own.port or _PORTS[own.scheme]):
        raise NoAnswer(
            f"a redirect leads away from the listener ({own.scheme}://{own.netloc}), "
            f"so it was not followed: {_way(passed)}",
            code=Code.HTTP_REDIRECT_AWAY,
        )
    return (to.path or "/") + (f"?{to.query}" if to.query else "")


def _next(request: Request, reply: Reply, path: str) -> Request:
    get = (reply.status == 303 and request.method != "HEAD") or (
        reply.status in {301, 302} and request.method == "POST"
    )
    if not get:
        return replace(request, path=path)
    headers = {
        name: value
        for name, value in request.headers.items()
        if not name.lower().startswith("content-")
    }
    return replace(request, method="GET", path=path, body=None, headers=headers)


def _way(passed: list[Redirect]) -> str:
    first = urlsplit(passed[0].url).path
    hops = "".join(f", {each.status} to {each.location[:200]}" for each in passed[-5:])
    skipped = ", …" if len(passed) > 5 else ""
    return f"{first}{skipped}{hops}"
