"""FILL: what stands where a time series has no value."""

from __future__ import annotations

from rehearsal.cloudwatch.math.values import MathError, Series, Value


def fill(arguments: list[Value]) -> Value:
    """FILL with a number or another series."""
    given, filler = arguments
    if isinstance(given, list):
        return [_filled(each, filler) for each in given]
    if not isinstance(given, Series):
        raise MathError("FILL needs a time series")
    return _filled(given, filler)


def _filled(series: Series, filler: Value) -> Series:
    values = tuple(
        value_at(filler, place) if value is None else value
        for place, value in enumerate(series.values)
    )
    return Series(values=values, period=series.period)


def repeated(given: Value) -> Value:
    """FILL with REPEAT: the value before goes on."""
    if isinstance(given, list):
        return [_repeated(each) for each in given]
    if not isinstance(given, Series):
        raise MathError("FILL needs a time series")
    return _repeated(given)


def _repeated(series: Series) -> Series:
    values: list[float | None] = []
    for value in series.values:
        values.append(values[-1] if value is None and values else value)
    return Series(values=tuple(values), period=series.period)


def value_at(value: Value | None, place: int) -> float | None:
    """A number itself, or the value of a series at a place."""
    if isinstance(value, list):
        raise MathError("an array of time series where one is needed")
    return value.values[place] if isinstance(value, Series) else value
