"""Bounds: what they are, what they hold for, and what is refused."""

import math

import pytest

from hookgate.units import Bound, duration_bound, number_bound, percentage_bound


@pytest.mark.parametrize(
    ("read", "text", "bound"),
    [
        (number_bound, "< 5", Bound("<", 5)),
        (number_bound, ">=-1.5", Bound(">=", -1.5)),
        (number_bound, " == 0 ", Bound("==", 0)),
        (number_bound, "= 0", Bound("==", 0)),
        (duration_bound, "<= 1m30s", Bound("<=", 90, "s")),
        (percentage_bound, "< 110%", Bound("<", 110, "%")),
    ],
)
def test_read(read, text, bound):
    """A bound is a sign and a value in its unit."""
    assert read(text) == bound


@pytest.mark.parametrize(
    ("read", "value", "message"),
    [
        (number_bound, 5, "a bound is text such as '< 5'; put it in quotes"),
        (number_bound, "5", "'5' is not a bound; write '< 5', with <, <=, >, >=, =="),
        (number_bound, "< 5ms", "'5ms' is not a number without a unit; write '< 5'"),
        (number_bound, "< nan", "'nan' is not a number without a unit"),
        (duration_bound, "< 300", "300 has no unit; write a bound such as '< 300ms'"),
        (duration_bound, "< soon", "'soon' is not a duration"),
        (percentage_bound, "< 1", "'1' is not a percentage; write '< 0.1%'"),
    ],
)
def test_refused(read, value, message):
    """What is no bound, or has the wrong unit, is refused with what to write."""
    with pytest.raises(ValueError, match=r"bound|unit|percentage|duration") as raised:
        read(value)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("sign", "holding"),
    [
        ("<", [1]),
        ("<=", [1, 2]),
        (">", [3]),
        (">=", [2, 3]),
        ("==", [2]),
        ("!=", [1, 3]),
    ],
)
def test_holds(sign, holding):
    """Each sign means what it means in arithmetic."""
    assert [each for each in (1, 2, 3) if Bound(sign, 2).holds(each)] == holding


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">=", "==", "!="])
def test_nan_keeps_no_bound(sign):
    """NaN is no number, so it keeps no bound, not even one that it differs."""
    assert Bound(sign, 2).holds(math.nan) is False


@pytest.mark.parametrize(
    ("bound", "text"),
    [
        (Bound("<", 0.3, "s"), "< 300 ms"),
        (Bound(">=", 99.5, "%"), ">= 99.5%"),
        (Bound("==", 0), "== 0"),
    ],
)
def test_text(bound, text):
    """A bound is printed with its unit."""
    assert str(bound) == text
