"""The functions of metric math that the stage knows.

Source: "Functions supported for metric math" in the CloudWatch user guide.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise

from rehearsal.cloudwatch.math.fill import fill, value_at
from rehearsal.cloudwatch.math.values import MathError, Series, Value

Function = Callable[[list[Value]], Value]


def call(name: str, arguments: list[Value]) -> Value:
    """Call a function by its name.

    Raises:
        MathError: there is none, or it takes other arguments.
    """
    function = FUNCTIONS.get(name)
    if function is None:
        known = ", ".join(sorted({*FUNCTIONS, "METRICS", "PERIOD", "TIME_SERIES"}))
        raise MathError(f"the stage has no function {name}; it has {known}")
    try:
        return function(arguments)
    except (IndexError, AttributeError, TypeError) as error:
        raise MathError(f"{name} takes other arguments") from error


def _each(function: Callable[[float], float | None]) -> Function:
    def apply(arguments: list[Value]) -> Value:
        (given,) = arguments
        match given:
            case Series():
                return given.map(function)
            case list():
                return [each.map(function) for each in given]
        raise MathError("a time series is needed where a number is given")

    return apply


def _all(
    function: Callable[[Sequence[float]], float], *, fills: bool = False
) -> Function:
    """A number of one series; of several, a series of numbers across them."""

    def apply(arguments: list[Value]) -> Value:
        (given,) = arguments
        if isinstance(given, Series):
            return function(given.present) if given.present else 0.0
        if not isinstance(given, list) or not given:
            raise MathError("a time series is needed where a number is given")
        columns = zip(*(each.values for each in given), strict=True)
        values = tuple(_across(column, function, fills) for column in columns)
        return Series(values=values, period=given[0].period)

    return apply


def _across(
    column: Sequence[float | None],
    function: Callable[[Sequence[float]], float],
    fills: bool,
) -> float | None:
    present = [value for value in column if value is not None]
    if not present:
        return None
    if fills:
        present += [0.0] * (len(column) - len(present))
    return function(present)


def _if(arguments: list[Value]) -> Value:
    condition, then = arguments[0], arguments[1]
    otherwise = arguments[2] if len(arguments) > 2 else None
    if not isinstance(condition, Series):
        chosen = then if condition else otherwise
        if isinstance(then, Series) and chosen is None:
            return then.map(lambda _: None)
        if chosen is None:
            raise MathError("IF of a number needs a time series")
        return chosen
    values = tuple(
        _chosen(value, then, otherwise, place)
        for place, value in enumerate(condition.values)
    )
    return Series(values=values, period=condition.period)


def _chosen(
    condition: float | None, then: Value, otherwise: Value | None, place: int
) -> float | None:
    if condition is None:
        return None
    if condition:
        return value_at(then, place) or 0.0
    return value_at(otherwise, place)


def _differences(per_second: bool) -> Function:
    def apply(arguments: list[Value]) -> Value:
        (given,) = arguments
        series = given if isinstance(given, list) else [given]
        found = [_difference(each, per_second) for each in series]
        return found if isinstance(given, list) else found[0]

    return apply


def _difference(series: Value, per_second: bool) -> Series:
    if not isinstance(series, Series):
        raise MathError("a time series is needed where a number is given")
    divisor = series.period if per_second else 1.0
    values = (
        None if a is None or b is None else (b - a) / divisor
        for a, b in pairwise(series.values)
    )
    return Series(values=(None, *values), period=series.period)


def _running(arguments: list[Value]) -> Value:
    (given,) = arguments
    if not isinstance(given, Series):
        raise MathError("RUNNING_SUM needs a time series")
    total = accumulate(value or 0.0 for value in given.values)
    return Series(values=tuple(total), period=given.period)


def _one_of(place: int) -> Function:
    def apply(arguments: list[Value]) -> Value:
        (given,) = arguments
        if not isinstance(given, list):
            raise MathError("an array of time series is needed")
        return given[place]

    return apply


def _metric_count(arguments: list[Value]) -> Value:
    (given,) = arguments
    return float(len(given)) if isinstance(given, list) else 1.0


def _logarithm(function: Callable[[float], float]) -> Function:
    return _each(lambda value: function(value) if value > 0 else None)


FUNCTIONS: Mapping[str, Function] = {
    "ABS": _each(abs),
    "AVG": _all(statistics.fmean, fills=True),
    "CEIL": _each(lambda value: float(math.ceil(value))),
    "DATAPOINT_COUNT": _all(lambda values: float(len(values))),
    "DIFF": _differences(per_second=False),
    "FILL": fill,
    "FIRST": _one_of(0),
    "FLOOR": _each(lambda value: float(math.floor(value))),
    "IF": _if,
    "LAST": _one_of(-1),
    "LOG": _logarithm(math.log),
    "LOG10": _logarithm(math.log10),
    "MAX": _all(max),
    "METRIC_COUNT": _metric_count,
    "MIN": _all(min),
    "RATE": _differences(per_second=True),
    "RUNNING_SUM": _running,
    "STDDEV": _all(statistics.pstdev),
    "SUM": _all(math.fsum),
}
