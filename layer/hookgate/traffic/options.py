"""The parts of a traffic step as a plan writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.statuses import Statuses
from hookgate.traffic.load import Shot
from hookgate.traffic.pace import Stage
from hookgate.traffic.thresholds import Thresholds
from hookgate.units import Duration, Rate

#: Statuses that are no error unless the plan says otherwise.
FINE = ("2xx", "3xx")


class Part(BaseModel):
    """A mapping inside of a step's options."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class TrafficRequest(Part):
    """One kind of request in a mix."""

    path: str = Field("/", pattern=r"^/[!-~]*$", description="Path and query.")
    name: str = Field(
        "", max_length=100, description="What it is counted under; else its path."
    )
    method: str = Field("GET", pattern=r"^[A-Z]+$", description="In capitals.")
    headers: Mapping[str, str] = Field({}, description="Headers to send.")
    body: str | None = Field(None, description="Text to send.")
    json_body: Any = Field(
        None, alias="json", description="JSON to send, with its Content-Type."
    )
    status: Statuses = Field(FINE, description="Statuses that are no error.")
    weight: int = Field(
        1, ge=1, le=1000, description="How often, beside the weights of others."
    )
    thresholds: Thresholds = Field({}, description="Bounds on these requests alone.")

    @model_validator(mode="after")
    def _one_body(self) -> TrafficRequest:
        if {"body", "json_body"} <= self.model_fields_set:
            raise InvalidValue("give body or json, not both", code=Code.OPTION_ONE_OF)
        return self

    @property
    def label(self) -> str:
        """What it is counted under."""
        return self.name or self.path

    def shot(self, headers: Mapping[str, str]) -> Shot:
        """What to send, with ``headers`` that all requests have."""
        own, body = {**headers, **self.headers}, self.body
        if "json_body" in self.model_fields_set:
            own.setdefault("Content-Type", "application/json")
            body = json.dumps(self.json_body)
        return Shot(
            name=self.label,
            asks=((self.method, self.path),),
            headers=own,
            body=None if body is None else body.encode(),
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
