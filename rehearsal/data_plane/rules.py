"""What a listener does with a request: conditions, and the action they lead to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Forward to target groups by weight: ARN to 0 to 999."""

    weights: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedResponse:
    """Answer without asking a target."""

    status: int
    content_type: str = "text/plain"
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Send the client elsewhere.

    Each part may hold ELB's ``#{protocol}``, ``#{host}``, ``#{port}``, ``#{path}`` and
    ``#{query}``.
    """

    status: int = 302
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"


Action = Forward | FixedResponse | Redirect


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Take the request and never answer: no action of ELB's, but a fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostHeader:
    """The Host header, its port aside, matches one of the patterns."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPattern:
    """The path, its query aside, matches one of the patterns; case matters."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpHeader:
    """The header of this name matches one of the patterns."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequestMethod:
    """The method is one of these, exactly."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryString:
    """A parameter of the query matches one of the (key, value) patterns.

    A key of ``None`` is any key.
    """

    values: tuple[tuple[str | None, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceIp:
    """The client's address lies in one of the CIDR blocks."""

    values: tuple[str, ...]


Condition = (
    HostHeader | PathPattern | HttpHeader | HttpRequestMethod | QueryString | SourceIp
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The first rule by ``priority`` of which every condition holds, acts."""

    priority: int
    conditions: tuple[Condition, ...]
    action: Action
