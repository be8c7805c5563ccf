"""What holds of which value: a table of every predicate with every kind of value."""

from __future__ import annotations

import math
import re

import pytest

from hookgate.predicate import Missing, Unreadable, holds, same, shown

VALUES = {
    "text": "abc",
    "empty": "",
    "number": 5,
    "zero": 0,
    "true": True,
    "null": None,
    "NaN": math.nan,
    "array": ["abc", 5],
    "object": {"a": 1},
    "missing": Missing("the value"),
    "unreadable": Unreadable("a body that is not JSON"),
}
HOLD = [
    ("equals", "abc", {"text"}),
    ("equals", 5, {"number"}),
    ("equals", 5.0, {"number"}),
    ("equals", 1, set()),
    ("equals", 0, {"zero"}),
    ("equals", None, {"null"}),
    ("equals", math.nan, set()),
    ("equals", {"a": 1}, {"object"}),
    ("differs", "abc", set(VALUES) - {"text", "NaN", "missing", "unreadable"}),
    ("contains", "b", {"text"}),
    ("contains", 5, {"array"}),
    ("contains", "", {"text", "empty"}),
    ("matches", re.compile("^a"), {"text"}),
    ("matches", re.compile(""), {"text", "empty"}),
    ("above", 0, {"number"}),
    ("above", -1, {"number", "zero"}),
    ("below", 5, {"zero"}),
    ("exists", True, set(VALUES) - {"missing", "unreadable"}),
    ("exists", False, {"missing"}),
]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    ("predicate", "argument", "those"),
    [pytest.param(*each, id=f"{each[0]} {each[1]}") for each in HOLD],
)
def test_holds(predicate, argument, those, value):
    """Each predicate holds for those values, and for no other."""
    assert holds(predicate, argument, VALUES[value]) is (value in those)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        pytest.param(True, 1, False, id="true and 1"),
        pytest.param([True], [1], False, id="in an array"),
        pytest.param({"a": False}, {"a": 0}, False, id="in an object"),
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1.0}, True, id="order of keys"),
        pytest.param([1, 2], [2, 1], False, id="order of elements"),
        pytest.param([1], [1, 2], False, id="length"),
        pytest.param({"a": None}, {}, False, id="null and missing"),
    ],
)
def test_same(one, other, equal):
    """JSON values are equal as JSON has it, not as Python does."""
    assert same(one, other) is equal


def test_kinds_are_told_apart():
    """Nothing, null, NaN, empty and unreadable are said differently."""
    kinds = ("empty", "null", "NaN", "missing", "unreadable")
    assert len({shown(VALUES[kind]) for kind in kinds}) == len(kinds)


def test_long_value_is_cut():
    """What came is shown within bounds."""
    assert shown("a" * 1000).endswith("… (1002 characters)")
