"""Ask a listener over HTTP, within bounds, and prove who answered."""

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
    """How the other side of a TLS connection is verified, and who asks.

    ``ca`` are certificates in PEM to trust instead of public authorities;
    ``certificate`` and ``key`` the client's own, in PEM. ``minimum`` and ``maximum``
    are versions, ``1.2`` or ``1.3``. Without ``verify`` nothing is verified.
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
        """What to say when nothing is verified; else nothing."""
        return "" if self.verify else "verify: false, the certificate is not verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask.

    ``timeout`` is in seconds and bounds the whole exchange, with all redirects, of
    which at most ``follow`` are followed, none away from the listener. ``max_body`` is
    in bytes, after decompression by any of ``encodings``. ``ip`` restricts the address
    family to ``4`` or ``6``, or only prefers one: ``4?``, ``6?``.
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
    """The parts of a duration, each in seconds, as blackbox_exporter names them.

    ``processing`` is from the request's last byte to the answer's first, ``transfer``
    from there to its last. ``tls`` is 0 without TLS.
    """

    resolve: float
    connect: float
    tls: float
    processing: float
    transfer: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """A redirect that was followed: who sent it, and where it led."""

    status: int
    url: str
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The peer's own certificate, as far as a plan may ask about it.

    ``names`` are its subject alternative names, without their kind. Whether the chain
    was verified is another question: a reply over TLS exists only if it was, or if
    the plan says otherwise by name.
    """

    subject: str
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back. ``duration`` is in seconds, from connecting to the last byte.

    ``headers`` joins headers of one name by a comma; ``fields`` holds every header of
    the final response as it came, and ``cookies`` every ``Set-Cookie``. ``url`` is the
    one that answered, after all ``redirects``, whose time ``duration`` counts too.
    ``phases`` are those of the last exchange, and None where nobody measured them.
    ``certificate`` is None without TLS. ``http_version`` is ``1.0``, ``1.1`` or ``2``.
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
        """The header's value whatever its case, or None when it did not come."""
        wanted = name.lower()
        return next(
            (value for key, value in self.headers.items() if key.lower() == wanted),
            None,
        )


class HttpClient(Protocol):
    """Asks one listener."""

    def __call__(self, request: Request) -> Reply:
        """Send one request over a fresh connection.

        Raises:
            NoAnswer: refused, reset, too slow, too large or not HTTP.
            NotGreen: answered, but not by the replacement task set.
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
    """Read statuses and classes of them, as RFC 9110, section 15 counts them.

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
    """Whether ``status`` is one of ``wanted``, or of a class of them."""
    return str(status) in wanted or f"{status // 100}xx" in wanted


Statuses = Annotated[
    tuple[str, ...],
    BeforeValidator(statuses),
    WithJsonSchema({"anyOf": [*_ONE["anyOf"], {"type": "array", "items": _ONE}]}),
]

_REDIRECTS = {301, 302, 303, 307, 308}

_PORTS = {"http": 80, "https": 443}


def followed(ask: Callable[[Request], Reply], request: Request) -> Reply:
    """Ask, and ask again where the answer leads, at most ``request.follow`` times.

    Which method goes on is said in RFC 9110, 15.4: 303 makes a GET of all but HEAD, and
    so do 301 and 302 of POST, as every browser has it.

    Args:
        ask: sends one request to the listener, and says what it called the listener.
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
                f"the redirects lead in a circle: {_way(passed)}",
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
            f"the redirect to {location[:200]!r} leads nowhere",
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
