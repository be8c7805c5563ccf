"""What customers ask of production, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

USER_AGENT = "Hookgate-Rehearsal"


class Connections(StrEnum):
    """Over which connections requests go."""

    FRESH = "fresh"
    KEPT = "kept"
    BOTH = "both"
    """One over a fresh connection, the next over a kept one: a fault of a shift may
    show on either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSettings:
    """What customers ask for.

    ``rate`` is in requests per second, ``timeout`` in seconds for a whole answer. With
    ``encrypted`` they speak TLS and take any certificate. More than ``concurrency``
    requests at once are not started.
    """

    port: int
    host: str = "127.0.0.1"
    encrypted: bool = False
    host_header: str | None = None
    paths: tuple[str, ...] = ("/",)
    rate: float = 50.0
    timeout: float = 5.0
    concurrency: int = 256
    connections: Connections = Connections.BOTH

    def __post_init__(self) -> None:
        """Refuse traffic that would be none."""
        if self.rate <= 0 or self.concurrency < 1 or not self.paths:
            raise ValueError("traffic needs a rate, a concurrency and a path")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficFailure:
    """A request that failed. ``at`` is seconds since the epoch, when it was started."""

    at: float
    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionTraffic:
    """What became of the requests.

    ``failed`` are those refused, reset, too slow or answered with neither 2xx nor 3xx;
    ``failures`` tells of the first ten. ``dropped`` could not be started because too
    many were running; they are no part of ``requests``.
    """

    requests: int
    failed: int
    dropped: int
    failures: tuple[TrafficFailure, ...]
