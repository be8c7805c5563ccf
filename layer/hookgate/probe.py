"""Ask a listener over HTTP, within bounds, and prove who answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


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
    def optout(self) -> str:
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


class Probe(Protocol):
    """Asks one listener."""

    def __call__(self, request: Request) -> Reply:
        """Send one request over a fresh connection.

        Raises:
            NoAnswer: refused, reset, too slow, too large or not HTTP.
            NotGreen: answered, but not by the replacement task set.
            CannotMeasure: there is no such listener.
        """
        ...
