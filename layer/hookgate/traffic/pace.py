"""When requests start: constant, ramping and stepped rates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

# What adding up fractions of a request may be off by.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stretch of time in which the rate goes in a straight line.

    Args:
        rate: requests per second at its start.
        to: requests per second at its end.
        seconds: how long it takes.
    """

    rate: float
    to: float
    seconds: float

    @property
    def requests(self) -> float:
        """How many requests fall into it, with fractions."""
        return (self.rate + self.to) / 2 * self.seconds

    def after(self, requests: float) -> float:
        """Seconds from its start until so many requests have been started.

        The inverse of the rate's integral, ``rate t + (to - rate) t² / 2 seconds``.
        """
        slope = (self.to - self.rate) / self.seconds
        root = math.sqrt(max(0.0, self.rate**2 + 2 * slope * requests))
        return 2 * requests / (self.rate + root) if requests else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Stages one after the other, and before them a warm-up at the first one's rate."""

    stages: tuple[Stage, ...]
    warm_up: float = 0.0

    @property
    def seconds(self) -> float:
        """How long requests are started, in seconds, the warm-up among them."""
        return self.warm_up + sum(each.seconds for each in self.stages)

    @property
    def requests(self) -> int:
        """How many requests count."""
        return math.ceil(sum(each.requests for each in self.stages) - _ROUNDING)

    def moments(self) -> Iterator[tuple[float, bool]]:
        """When each request starts, in seconds, and whether it counts."""
        if self.warm_up:
            rate = self.stages[0].rate
            warm = Stage(rate=rate, to=rate, seconds=self.warm_up)
            yield from ((at, False) for at in _moments((warm,)))
        yield from ((self.warm_up + at, True) for at in _moments(self.stages))


def _moments(stages: tuple[Stage, ...]) -> Iterator[float]:
    number, begun, passed = 0, 0.0, 0.0
    for stage in stages:
        ends = begun + stage.requests
        while number < ends - _ROUNDING:
            yield passed + stage.after(number - begun)
            number += 1
        begun, passed = ends, passed + stage.seconds
