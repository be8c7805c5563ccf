"""The parts of a traffic step as a plan writes them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.http.options import HttpRequest
from hookgate.http.request import Statuses, Trust
from hookgate.traffic.thresholds import Thresholds
from hookgate.units import Duration, Rate

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


#: Statuses that are no error unless the plan says otherwise.
FINE = ("2xx",)


class Part(BaseModel):
    """A mapping inside of a step's options."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class TrafficRequest(HttpRequest):
    """One kind of request in a mix."""

    name: str = Field(
        "", max_length=100, description="What it is counted under; else its path."
    )
    status: Statuses = Field(FINE, description="Statuses that are no error.")
    weight: int = Field(
        1, ge=1, le=1000, description="How often, beside the weights of others."
    )
    thresholds: Thresholds = Field({}, description="Bounds on these requests alone.")

    @model_validator(mode="after")
    def _is_judged(self) -> TrafficRequest:
        if self.graphql is not None:
            raise InvalidValue(
                "traffic reads no body, so it cannot see errors of GraphQL: send json "
                "here, and check the operation in a scenario",
                code=Code.OPTION_TOGETHER,
            )
        return self

    @property
    def label(self) -> str:
        """What it is counted under."""
        return self.name or self.path

    def shot(self, headers: Mapping[str, str]) -> Shot:
        """What to send, with ``headers`` that all requests have."""
        request = self.request(headers)
        return Shot(
            name=self.label,
            asks=((request.method, request.path),),
            headers=request.headers,
            body=request.body,
            status=self.status,
            weight=self.weight,
        )


class TrafficStage(Part):
    """A stretch of time with one rate, or with one that goes evenly to another."""

    rate: Rate = Field(gt=0, description="Requests a second at its start.")
    to: Rate | None = Field(
        None, gt=0, description="Requests a second at its end; else the same."
    )
    duration: Duration = Field(gt=0, le=3600, description="How long it takes.")

    @classmethod
    def constant(cls, rate: float, seconds: float) -> TrafficStage:
        """So many requests a second for so many seconds."""
        return cls.model_construct(rate=rate, to=None, duration=seconds)

    def stage(self) -> Stage:
        """The stretch in numbers."""
        to = self.rate if self.to is None else self.to
        return Stage(rate=self.rate, to=to, seconds=self.duration)
