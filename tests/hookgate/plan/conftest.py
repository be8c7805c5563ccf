"""Toy validators with the options of the real ones, and the shortest way to a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from hookgate.codes import Code
from hookgate.context import DeploymentContext
from hookgate.errors import InputError, did_you_mean
from hookgate.model import Finding
from hookgate.plan import Plan, read_plan
from hookgate.units import Duration, Pattern, Percentage, Rate
from hookgate.validator import Tools, Validator


class Toy(Validator):
    """A validator that states nothing."""

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        yield from ()


class Http(Toy):
    """Asks the test listener for a page."""

    asks_listener = True

    path: str
    method: Literal["GET", "HEAD"] = "GET"
    status: int | list[int] = 200
    headers: dict[str, str] = Field(default_factory=dict)
    matches: Pattern | None = None
    attempts: int = Field(default=1, ge=1)
    slower_than: float = 0.0
    within: Duration = 30.0

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: str) -> str:
        if not path.startswith(("/", "${")):
            raise ValueError("a path starts with '/'")
        return path

    def worst_case(self) -> float:
        return 0.0


class Page(BaseModel):
    """A page and how often to ask for it."""

    model_config = ConfigDict(extra="forbid")

    path: str
    weight: int = 1


class Traffic(Toy):
    """Sends load to the test listener."""

    asks_listener = True

    requests: list[Page] = Field(min_length=1)
    rate: Rate
    duration: Duration
    thresholds: dict[str, str] = Field(default_factory=dict)

    def worst_case(self) -> float:
        return self.duration + 10


class TargetHealth(Toy):
    """Waits for healthy targets."""

    healthy: Percentage = 100.0
    stable_for: Duration = 0.0
    within: Duration = 60.0

    def worst_case(self) -> float:
        return 0.0


class Alarms(Toy):
    """Reads alarms."""

    names: list[str]


class Broken(Toy):
    """Crashes over its own options."""

    fault: str = "options"

    @field_validator("fault")
    @classmethod
    def _crash(cls, fault: str) -> str:
        if fault == "options":
            raise RuntimeError("no such table")
        return fault

    def worst_case(self) -> float:
        return {"endless": float("inf")}[self.fault]


TOYS = {
    "http": Http,
    "traffic": Traffic,
    "target_health": TargetHealth,
    "alarms": Alarms,
    "broken": Broken,
}


def resolve(use: str) -> type[Validator]:
    """Find a toy as the registry would."""
    if use not in TOYS:
        what = f"unknown validator {use!r}{did_you_mean(use, TOYS)}"
        raise InputError(what, code=Code.VALIDATOR_UNKNOWN)
    return TOYS[use]


@pytest.fixture(scope="session")
def read() -> Callable[[str | bytes], Plan]:
    """Read a plan that uses toys."""
    return lambda text: read_plan(text, "plan.yaml", resolve)


@pytest.fixture(scope="session")
def read_steps(read: Callable[[str | bytes], Plan]) -> Callable[[str], Plan]:
    """Read a plan whose only event has the steps given, as YAML in flow style."""
    head = "version: 1\nevents:\n  AfterAllowTestTraffic:\n"
    return lambda steps: read(f"{head}    {steps}\n")
