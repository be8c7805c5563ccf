"""Values: when they are equal, and their words."""

from __future__ import annotations

import math

import pytest

from hookgate.assertions.queries import (
    Kind,
    Missing,
    Octets,
    Seconds,
    Unreadable,
    json_path,
    listed,
    places,
    same,
    shown,
)


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
        pytest.param([math.nan], [math.nan], False, id="NaN"),
    ],
)
def test_same(one, other, equal):
    """JSON values are equal as JSON has it, not as Python does."""
    assert same(one, other) is equal


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", 'an empty text ("")'),
        (None, "null"),
        (math.nan, "NaN, which is not a number and equals nothing"),
        (-math.inf, "Infinity, which is not a number in JSON"),
        (Missing("the value"), "nothing: the value is missing"),
        (Unreadable("no JSON"), "no JSON"),
        (Seconds(0.25), "250 ms"),
        (Octets(2048), "2048 B"),
        (b"tea", "the bytes 746561"),
        (b"", "no bytes"),
        (True, "true"),
        ("é", '"é"'),
    ],
)
def test_shown(value, text):
    """Each special value has words of its own."""
    assert text == shown(value)


def test_long_value_is_cut():
    """A long value is cut."""
    assert shown("a" * 1000).endswith("… (1002 characters)")


def test_kinds_in_a_sentence():
    """Kinds are listed as a person would."""
    assert "a string, a number or null" == listed({Kind.NULL, Kind.NUMBER, Kind.STRING})


@pytest.mark.parametrize("function", ["match", "search"])
def test_functions_of_a_path_take_linear_time(function):
    """A pattern that Python's engine needs hours for is decided at once."""
    text = "a" * 40 + "!"
    path = json_path(f"$[?{function}(@, '(a+)+x|a+!')]")
    assert [("$[0]", text)] == list(places([text], path))


def test_pattern_that_does_not_compile_in_a_path():
    """A look-around, which RE2 lacks, is an error, not a path without a value."""
    ((_, value),) = places(["a"], json_path("$[?match(@, '(?=a)a')]"))
    assert isinstance(value, Unreadable)
