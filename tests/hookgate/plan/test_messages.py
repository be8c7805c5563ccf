"""pydantic's errors in words for a deployer, where the gallery does not show them."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hookgate.plan.messages import faults
from hookgate.plan.placeholders import Fault


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    path: str
    text: str = Field(default="", max_length=3, pattern="^a*$")


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    either: int | list[int] | Inner = 1
    by_name: dict[str, Inner] = Field(default_factory=dict)
    renamed: Annotated[int, Field(alias="re-named", gt=0, le=9)] = 1


def mistakes(data: Any) -> list[Fault]:
    """The mistakes in data that is not valid."""
    with pytest.raises(ValidationError) as error:
        Outer.model_validate(data)
    return list(faults(error.value, Outer, data, "option"))


@pytest.mark.parametrize(
    ("data", "path", "what"),
    [
        pytest.param(
            {"either": "x"},
            ("either",),
            "either: expected a whole number or a list or a mapping, got the text 'x'",
            id="every branch",
        ),
        pytest.param(
            {"either": ["x"]},
            ("either", 0),
            "either[0]: expected a whole number, got the text 'x'",
            id="branch that got further",
        ),
        pytest.param(
            {"either": {"pth": "/", "path": "/"}},
            ("either", "pth"),
            "unknown option 'pth'; did you mean 'path'? There are: path, text",
            id="model of a branch",
        ),
        pytest.param(
            {"by_name": {"a": {}}},
            ("by_name", "a"),
            "the option 'by_name.a.path' is missing; add it",
            id="model in a mapping",
        ),
        pytest.param(
            {"by_name": {"a": {"path": "", "txt": ""}}},
            ("by_name", "a", "txt"),
            "unknown option 'txt'; did you mean 'text'? There are: path, text",
            id="unknown in a mapping",
        ),
        pytest.param(
            {"re-named": 0},
            ("re-named",),
            "re-named: expected more than 0, got the number 0",
            id="alias",
        ),
        pytest.param(
            {"re-name": 1},
            ("re-name",),
            "unknown option 're-name'; did you mean 're-named'? "
            "There are: either, by_name, re-named",
            id="unknown beside alias",
        ),
        pytest.param(
            {"either": {"path": "", "text": "aaaa"}},
            ("either", "text"),
            "either.text: expected text of 3 characters or fewer, got the text 'aaaa'",
            id="length",
        ),
        pytest.param(
            {"either": {"path": "", "text": "b"}},
            ("either", "text"),
            "either.text: expected text that matches ^a*$, got the text 'b'",
            id="pattern",
        ),
    ],
)
def test_sentence(data: Any, path: tuple[str | int, ...], what: str):
    """One sentence says what is wrong, at the path in the data."""
    assert [(path, what)] == [(fault.path, fault.what) for fault in mistakes(data)]
