"""A validator's options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, field_validator
from pydantic_core import PydanticCustomError

from hookgate.context import DeploymentContext
from hookgate.model import Finding
from hookgate.plan.options import build, worst_case
from hookgate.validator import Tools, Validator


class Bounds(BaseModel):
    """A model within the options."""

    upper: float = 1.0


class Toy(Validator):
    """A validator with numbers in every place."""

    limit: float = 1.0
    limits: tuple[float, ...] = ()
    bounds: Bounds = Bounds()
    unset: float = float("inf")
    says: Any = 5

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        yield from ()

    def worst_case(self) -> float:
        return self.says


def test_validator_is_built():
    """Right options make a validator."""
    assert Toy(limit=2.0) == build(Toy, {"limit": 2})


@pytest.mark.parametrize(
    ("options", "path"),
    [
        pytest.param({"limit": "nan"}, ("limit",), id="text"),
        pytest.param({"limits": [1, "inf"]}, ("limits", 1), id="list"),
        pytest.param(
            {"bounds": {"upper": "-Infinity"}}, ("bounds", "upper"), id="model"
        ),
    ],
)
def test_number_that_is_none_is_refused(
    options: dict[str, object], path: tuple[str | int, ...]
):
    """Text that pydantic reads as infinity or NaN is refused."""
    built = build(Toy, options)
    assert isinstance(built, tuple)
    assert [path] == [fault.path for fault in built]


class Odd(Toy):
    """A validator whose options raise what a plugin may raise."""

    error: str = ""

    @field_validator("error")
    @classmethod
    def _raise(cls, error: str) -> str:
        raise {
            "bare": PydanticCustomError("too_short", "Too short"),
            "other": PydanticCustomError("too_short", "Of {it}", {"it": "another"}),
            "exit": SystemExit(3),
            "recursion": RecursionError("too deep"),
        }[error]


@pytest.mark.parametrize(
    ("error", "what"),
    [
        ("bare", "error: too short"),
        ("other", "error: expected … or more of them, got the text 'other'"),
        ("exit", "the validator cannot read its options: SystemExit: 3"),
        (
            "recursion",
            "the validator cannot read its options: RecursionError: too deep",
        ),
        ("none", "the validator cannot read its options: KeyError: 'none'"),
    ],
)
def test_whatever_a_plugin_raises_is_reported(error: str, what: str):
    """A plugin's own way to refuse an option never escapes the reading."""
    built = build(Odd, {"error": error})
    assert isinstance(built, tuple)
    assert [what] == [fault.what for fault in built]


@pytest.mark.parametrize("says", [float("nan"), float("inf"), -1, "soon", None])
def test_worst_case_that_is_none_is_refused(says: object):
    """What cannot be planned with is an error, whatever a plugin says."""
    with pytest.raises(ValueError, match="worst_case"):
        worst_case(Toy(says=says))


def test_worst_case_is_in_seconds():
    """What the validator says is taken unchanged."""
    assert 5.0 == worst_case(Toy())
