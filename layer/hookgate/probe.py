"""Ask a listener over HTTP, within bounds, and prove who answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask. ``timeout`` is in seconds and bounds the whole exchange."""

    method: str = "GET"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout: float = 10.0
    max_body: int = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back. ``duration`` is in seconds, from connecting to the last byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    duration: float
    peer: str
    http_version: str

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
