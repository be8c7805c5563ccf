"""The second layer: what is there, and what to do when it is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import ClassVar

import pytest
from support.coded import raises

from hookgate.codes import Code
from hookgate.errors import InvalidValue, PlanError
from hookgate.model import Finding
from hookgate.plan import read_plan
from hookgate.units import demand
from hookgate.validator import Validator


class Heavy(Validator):
    """Does it need more than there is?"""

    second_layer: ClassVar[tuple[str, ...]] = ("lxml", "no_such_library")

    def check(self, context, tools) -> Iterator[Finding]:
        yield Finding(ok=True, summary="checked")


class Light(Heavy):
    """Does it need what there is?"""

    second_layer: ClassVar[tuple[str, ...]] = ("lxml",)


def read(validator: type[Validator]) -> None:
    text = "version: 1\nevents:\n  AfterInstall:\n    - use: heavy\n"
    read_plan(text, "shop.yaml", lambda _: validator)


def test_what_is_there_is_allowed():
    """Installed libraries are demanded without complaint."""
    demand("xpath", "lxml", "grpc")


def test_what_is_missing_is_named():
    """Who needs it, what is missing and what to set."""
    with raises(
        InvalidValue, "HG-SECOND-LAYER", "xpath", "no_such_library", "SecondLayer=true"
    ):
        demand("xpath", "lxml", "no_such_library")


def test_nothing_is_imported():
    """To look whether a library is there costs no import."""
    demand("this", "antigravity")
    assert "antigravity" not in sys.modules


def test_plan_is_refused():
    """A plan whose validator needs what is missing is refused with its place."""
    with pytest.raises(PlanError) as raised:
        read(Heavy)
    (problem,) = raised.value.problems
    assert (4, 7) == (problem.place.line, problem.place.column)
    assert Code.SECOND_LAYER == problem.code
    assert "no_such_library" in problem.message


def test_plan_is_read():
    """A plan whose validator has what it needs is read."""
    read(Light)
