"""The parts of a traffic step as a plan writes them."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.http_options.request import HttpRequest
from hookgate.statuses import Statuses
from hookgate.traffic.load import Shot
from hookgate.traffic.pace import Stage
from hookgate.traffic.thresholds import Thresholds
from hookgate.units import Duration, Rate

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
