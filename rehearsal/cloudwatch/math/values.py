"""What an expression works with: numbers, time series, and several of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class MathError(ValueError):
    """An expression that cannot be evaluated; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A time series: a value, or None where there is none, for each of its times.

    Attributes:
        values: One for each window, the oldest first.
        period: Seconds between them.
    """

    values: tuple[float | None, ...]
    period: float

    def map(self, function: Callable[[float], float | None]) -> Series:
        """The series with a function applied to every value there is."""
        values = tuple(None if v is None else function(v) for v in self.values)
        return Series(values=values, period=self.period)

    @property
    def present(self) -> list[float]:
        """The values that there are."""
        return [value for value in self.values if value is not None]


Value = float | Series | list[Series]
Binary = Callable[[float, float], float | None]


def combine(left: Value, right: Value, function: Binary) -> Value:
    """Apply a function to two values, element by element.

    Where only one of two series has a value, the other's counts as 0; where neither
    has, there is none. Source: "Metric math syntax and functions".
    """
    if isinstance(left, list):
        if isinstance(right, list):
            raise MathError("two arrays of time series cannot be combined")
        return [_pair(each, right, function) for each in left]
    if isinstance(right, list):
        return [_pair(left, each, function) for each in right]
    if isinstance(left, Series) or isinstance(right, Series):
        return _pair(left, right, function)
    found = function(left, right)
    if found is None:
        raise MathError("a division by zero")
    return found


def _pair(left: float | Series, right: float | Series, function: Binary) -> Series:
    if isinstance(left, Series) and isinstance(right, Series):
        values = tuple(
            None if a is None and b is None else function(a or 0.0, b or 0.0)
            for a, b in zip(left.values, right.values, strict=True)
        )
        return Series(values=values, period=left.period)
    if isinstance(left, Series):
        other = _number(right)
        return left.map(lambda value: function(value, other))
    other = _number(left)
    return _series(right).map(lambda value: function(other, value))


def _number(value: float | Series) -> float:
    if isinstance(value, Series):
        raise MathError("a number is needed where a time series is given")
    return value


def _series(value: float | Series) -> Series:
    if not isinstance(value, Series):
        raise MathError("a time series is needed where a number is given")
    return value
