"""The options of a traffic step, and the load that they describe."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.http.request import HttpRequest, Statuses, Trust
from hookgate.traffic.thresholds import Thresholds
from hookgate.units import Duration, Rate

# The largest error when fractions of requests are added.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """A period in which the requests per second change linearly to ``to``."""

    rate: float
    to: float
    seconds: float

    @property
    def requests(self) -> float:
        """The number of its requests, with fractions."""
        return (self.rate + self.to) / 2 * self.seconds

    def time_of(self, requests: float) -> float:
        """Seconds from its start until this number of requests has started.

        The inverse of the rate's integral, ``rate t + (to - rate) t² / 2 seconds``.
        """
        slope = (self.to - self.rate) / self.seconds
        root = math.sqrt(max(0.0, self.rate**2 + 2 * slope * requests))
        return 2 * requests / (self.rate + root) if requests else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Ramps in sequence, after a warm-up in seconds at the first rate."""

    ramps: tuple[Ramp, ...]
    warm_up: float = 0.0

    @property
    def seconds(self) -> float:
        """How long requests are started, including the warm-up."""
        return self.warm_up + sum(each.seconds for each in self.ramps)

    @property
    def requests(self) -> int:
        """The number of requests that are counted."""
        return math.ceil(sum(each.requests for each in self.ramps) - _ROUNDING)

    def starts(self) -> Iterator[tuple[float, bool]]:
        """When each request starts, in seconds, and whether it is counted."""
        if self.warm_up:
            rate = self.ramps[0].rate
            warm_up = Ramp(rate=rate, to=rate, seconds=self.warm_up)
            yield from ((at, False) for at in _starts((warm_up,)))
        yield from ((self.warm_up + at, True) for at in _starts(self.ramps))


def _starts(ramps: tuple[Ramp, ...]) -> Iterator[float]:
    number, before, elapsed = 0, 0.0, 0.0
    for ramp in ramps:
        end = before + ramp.requests
        while number < end - _ROUNDING:
            yield elapsed + ramp.time_of(number - before)
            number += 1
        before, elapsed = end, elapsed + ramp.seconds


#: Statuses that are no error by default.
DEFAULT_STATUS = ("2xx",)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTemplate:
    """Requests that are counted under one name.

    Args:
        operations: methods and paths, sent in turn.
        headers: headers beside the listener's own.
        status: the statuses that are no error.
        weight: how often it is sent, relative to the other weights.
    """

    name: str
    operations: Sequence[tuple[str, str]] = (("GET", "/"),)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    status: tuple[str, ...] = DEFAULT_STATUS
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to send, when, and within which limits.

    Args:
        templates: the requests; each has a unique name.
        max_in_flight: the maximum number in flight; more are dropped.
        timeout: the limit of one request, in seconds.
        http_version: ``1.1`` or ``2``.
        keep_alive: whether connections are reused.
        baseline: whether the production listener gets each request too.
        closed_model: start a request as soon as another ends, to measure the
            generator itself; no request is dropped.
    """

    templates: tuple[RequestTemplate, ...]
    schedule: Schedule
    max_in_flight: int = 100
    timeout: float = 10.0
    http_version: str = "1.1"
    keep_alive: bool = True
    baseline: bool = False
    trust: Trust = field(default_factory=Trust)
    closed_model: bool = False

    def order(self) -> Iterator[int]:
        """The templates' indexes, endlessly, evenly mixed by weight.

        Source: the smooth weighted round-robin of nginx (upstream module).
        """
        common = math.gcd(*(each.weight for each in self.templates))
        weights = [each.weight // common for each in self.templates]
        credit = [0] * len(weights)
        cycle = []
        for _ in range(sum(weights)):
            credit = [have + more for have, more in zip(credit, weights, strict=True)]
            chosen = max(range(len(credit)), key=credit.__getitem__)
            credit[chosen] -= sum(weights)
            cycle.append(chosen)
        return itertools.cycle(cycle)


#: The options of requests that are counted under one name.
Expected = Annotated[Statuses, Field(description="Statuses that are no error.")]

Weight = Annotated[
    int,
    Field(
        ge=1,
        le=1000,
        description="How often to send, relative to the other weights.",
    ),
]

OwnThresholds = Annotated[
    Thresholds, Field(description="Thresholds for this name alone.")
]


class TrafficRequest(HttpRequest):
    """A request of a load."""

    name: str = Field(
        "", max_length=100, description="The name in results; by default the path."
    )
    status: Expected = DEFAULT_STATUS
    weight: Weight = 1
    thresholds: OwnThresholds = Field({})

    @model_validator(mode="after")
    def _no_graphql(self) -> TrafficRequest:
        if self.graphql is not None:
            raise InvalidValue(
                "traffic does not read bodies, so it cannot detect GraphQL errors; "
                "send json here, and check the operation in a scenario",
                code=Code.OPTION_TOGETHER,
            )
        return self

    def template(self, headers: Mapping[str, str]) -> RequestTemplate:
        """The template; ``headers`` are those of all requests."""
        request = self.request(headers)
        return RequestTemplate(
            name=self.name or self.path,
            operations=((request.method, request.path),),
            headers=request.headers,
            body=request.body,
            status=self.status,
            weight=self.weight,
        )


class TrafficStage(BaseModel):
    """A period with a constant or linearly changing rate."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    rate: Rate = Field(gt=0, description="Requests per second at its start.")
    to: Rate | None = Field(
        None, gt=0, description="Requests per second at its end; by default the same."
    )
    duration: Duration = Field(gt=0, le=3600, description="How long it takes.")

    def ramp(self) -> Ramp:
        """The period in numbers."""
        to = self.rate if self.to is None else self.to
        return Ramp(rate=self.rate, to=to, seconds=self.duration)
