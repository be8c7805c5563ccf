"""What to send, and how fast."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hookgate.probe import Trust
from hookgate.traffic.pace import Pace

#: What a load's requests say of themselves, beside their User-Agent.
MARK = ("X-Hookgate", "traffic")
#: Methods that RFC 9110, section 9.2.1 calls safe.
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A kind of request.

    Args:
        name: what it is counted under.
        asks: methods and paths, taken in turn.
        headers: what to send beside the listener's own.
        body: what to send.
        status: the statuses that are no error.
        weight: how often it is sent, beside the weights of others.
    """

    name: str
    asks: Sequence[tuple[str, str]] = (("GET", "/"),)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    status: tuple[str, ...] = ("2xx",)
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Which requests, when, and within which bounds.

    Args:
        shots: the kinds of requests; each has a name of its own.
        pace: when they start.
        max_in_flight: how many may be under way at once; one more is dropped.
        timeout: the bound of one request, in seconds.
        http_version: ``1.1`` or ``2``.
        keep_alive: whether connections are used again.
        yardstick: whether the production listener gets each request too.
        trust: whom to trust with TLS, which name to ask for, and who asks.
        closed: start a request as soon as another ends, for measurements of the
            generator itself; nothing is dropped.
    """

    shots: tuple[Shot, ...]
    pace: Pace
    max_in_flight: int = 100
    timeout: float = 10.0
    http_version: str = "1.1"
    keep_alive: bool = True
    yardstick: bool = False
    trust: Trust = field(default_factory=Trust)
    closed: bool = False

    def order(self) -> Iterator[int]:
        """The shots' numbers for ever, each as often as its weight, evenly mixed.

        Source: the smooth weighted round-robin of nginx (upstream module).
        """
        common = math.gcd(*(each.weight for each in self.shots))
        weights = [each.weight // common for each in self.shots]
        credit = [0] * len(weights)
        cycle = []
        for _ in range(sum(weights)):
            credit = [have + more for have, more in zip(credit, weights, strict=True)]
            chosen = max(range(len(credit)), key=credit.__getitem__)
            credit[chosen] -= sum(weights)
            cycle.append(chosen)
        return itertools.cycle(cycle)
