"""Metric math: parse an expression and evaluate it over time series.

Its grammar is a part of Python's, once ``^``, ``&&`` and ``||`` are written in Python's
way, so Python's own parser reads it; only the nodes named here are allowed.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from itertools import accumulate, count, pairwise


class QueryError(ValueError):
    """A query or an expression that is not valid; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSeries:
    """A time series: a value, or None where there is none, for each of its times.

    Attributes:
        values: One for each window, the oldest first.
        period: Seconds between them.
    """

    values: tuple[float | None, ...]
    period: float

    def of(self, values: Iterable[float | None]) -> TimeSeries:
        """Other values at the same times."""
        return TimeSeries(values=tuple(values), period=self.period)


Value = float | TimeSeries | list[TimeSeries]

Binary = Callable[[float, float], float | None]


def _combine(left: Value, right: Value, function: Binary) -> Value:
    """Apply a function to two values, element by element.

    Where only one of two series has a value, the other's counts as 0; where neither
    has, there is none. Source: "Metric math syntax and functions".
    """
    if isinstance(left, list):
        if isinstance(right, list):
            raise QueryError("two arrays of time series cannot be combined")
        return [_join(each, right, function) for each in left]
    if isinstance(right, list):
        return [_join(left, each, function) for each in right]
    if isinstance(left, TimeSeries) or isinstance(right, TimeSeries):
        return _join(left, right, function)
    found = function(left, right)
    if found is None:
        raise QueryError("a division by zero")
    return found


def _join(
    left: float | TimeSeries, right: float | TimeSeries, function: Binary
) -> TimeSeries:
    series = [each for each in (left, right) if isinstance(each, TimeSeries)]
    return series[0].of(
        None
        if all(each.values[place] is None for each in series)
        else function(_at(left, place) or 0.0, _at(right, place) or 0.0)
        for place in range(len(series[0].values))
    )


def _at(value: Value | None, place: int) -> float | None:
    """A number itself, or the value of a series at a place."""
    if isinstance(value, list):
        raise QueryError("an array of time series where one is needed")
    return value.values[place] if isinstance(value, TimeSeries) else value


def _map_series(function: Callable[[TimeSeries], TimeSeries], value: Value) -> Value:
    """Apply a function to a series, or to each series of an array."""
    match value:
        case TimeSeries():
            return function(value)
        case list():
            return [function(each) for each in value]
    raise QueryError("a time series is needed where a number is given")


def _each(function: Callable[[float], float | None]) -> Callable[[Value], Value]:
    def apply(series: TimeSeries) -> TimeSeries:
        return series.of(None if v is None else function(v) for v in series.values)

    return partial(_map_series, apply)


def _all(
    function: Callable[[Sequence[float]], float], *, fills: bool = False
) -> Callable[[Value], Value]:
    """A number of one series; of several, a series of numbers across them.

    Args:
        function: Makes a number of one or more values.
        fills: Whether a value that only some of the series have counts as 0 in others.
    """

    def across(column: Sequence[float | None]) -> float | None:
        present = [value for value in column if value is not None]
        if not present:
            return None
        missing = len(column) - len(present) if fills else 0
        return function(present + [0.0] * missing)

    def apply(value: Value) -> Value:
        if isinstance(value, TimeSeries):
            present = [each for each in value.values if each is not None]
            return function(present) if present else 0.0
        if not isinstance(value, list) or not value:
            raise QueryError("a time series is needed where a number is given")
        columns = zip(*(each.values for each in value), strict=True)
        return value[0].of(map(across, columns))

    return apply


def _fill(value: Value, filler: Value) -> Value:
    def apply(series: TimeSeries) -> TimeSeries:
        return series.of(
            _at(filler, place) if each is None else each
            for place, each in enumerate(series.values)
        )

    return _map_series(apply, value)


def _repeat(series: TimeSeries) -> TimeSeries:
    """Fill with the previous value."""
    return series.of(
        accumulate(series.values, lambda last, each: last if each is None else each)
    )


def _if(condition: Value, then: Value, otherwise: Value | None = None) -> Value:
    def choose(value: float | None, place: int) -> float | None:
        if value is None:
            return None
        return (_at(then, place) or 0.0) if value else _at(otherwise, place)

    if isinstance(condition, TimeSeries):
        return condition.of(map(choose, condition.values, count()))
    chosen = then if condition else otherwise
    if chosen is not None:
        return chosen
    if not isinstance(then, TimeSeries):
        raise QueryError("IF of a number needs a time series")
    return then.of(None for _ in then.values)


def _diff(series: TimeSeries) -> TimeSeries:
    pairs = pairwise(series.values)
    changes = (None if a is None or b is None else b - a for a, b in pairs)
    return series.of((None, *changes))


def _rate(series: TimeSeries) -> TimeSeries:
    """The change per second."""
    changes = _diff(series).values
    return series.of(None if v is None else v / series.period for v in changes)


def _running_sum(series: TimeSeries) -> TimeSeries:
    return series.of(accumulate(value or 0.0 for value in series.values))


def _item(place: int) -> Callable[[Value], Value]:
    def apply(value: Value) -> Value:
        if not isinstance(value, list):
            raise QueryError("an array of time series is needed")
        return value[place]

    return apply


def _logarithm(function: Callable[[float], float]) -> Callable[[Value], Value]:
    return _each(lambda value: function(value) if value > 0 else None)


_FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "ABS": _each(abs),
    "AVG": _all(statistics.fmean, fills=True),
    "CEIL": _each(lambda value: float(math.ceil(value))),
    "DATAPOINT_COUNT": _all(lambda values: float(len(values))),
    "DIFF": partial(_map_series, _diff),
    "FILL": _fill,
    "FIRST": _item(0),
    "FLOOR": _each(lambda value: float(math.floor(value))),
    "IF": _if,
    "LAST": _item(-1),
    "LOG": _logarithm(math.log),
    "LOG10": _logarithm(math.log10),
    "MAX": _all(max),
    "METRIC_COUNT": lambda value: float(len(value)) if isinstance(value, list) else 1.0,
    "MIN": _all(min),
    "RATE": partial(_map_series, _rate),
    "RUNNING_SUM": partial(_map_series, _running_sum),
    "STDDEV": _all(statistics.pstdev),
    "SUM": _all(math.fsum),
}

#: CloudWatch's own bound on an expression, in characters.
LONGEST = 2048

_TOKEN = re.compile(r'"[^"]*"|\^|&&|\|\||\b(?:AND|OR)\b')

_SPELT = {"^": "**", "&&": " and ", "||": " or ", "AND": "and", "OR": "or"}


def _divide(left: float, right: float) -> float | None:
    return left / right if right else None


def _power(left: float, right: float) -> float | None:
    try:
        found = left**right
    except (OverflowError, ZeroDivisionError):
        return None
    return None if isinstance(found, complex) else float(found)


def _truth(function: Callable[[float, float], object]) -> Binary:
    """Make 1 of what is true, and 0 of what is false."""
    return lambda left, right: float(bool(function(left, right)))


_OPERATORS: Mapping[type[ast.AST], Binary] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: _divide,
    ast.Pow: _power,
    ast.Eq: _truth(operator.eq),
    ast.NotEq: _truth(operator.ne),
    ast.LtE: _truth(operator.le),
    ast.GtE: _truth(operator.ge),
    ast.Lt: _truth(operator.lt),
    ast.Gt: _truth(operator.gt),
    ast.And: _truth(lambda left, right: left and right),
    ast.Or: _truth(lambda left, right: left or right),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an expression may name.

    Attributes:
        values: Metrics and other expressions by id.
        metrics: The ids of those that are metrics, for ``METRICS()``.
        windows: How many values a series has.
        period: Seconds between them.
    """

    values: Mapping[str, Value]
    metrics: tuple[str, ...]
    windows: int
    period: float


def names_in(text: str) -> set[str]:
    """The ids that an expression names.

    Raises:
        QueryError: The expression is not valid.
    """
    nodes = list(ast.walk(_parse(text)))
    functions = [node.func for node in nodes if isinstance(node, ast.Call)]
    names = [node for node in nodes if isinstance(node, ast.Name)]
    return {node.id for node in names if node not in functions} - {"REPEAT", "LINEAR"}


def evaluate(text: str, scope: Scope) -> Value:
    """Evaluate an expression.

    Raises:
        QueryError: The expression is not valid, or the emulator does not support it.
    """
    tree = _parse(text)
    try:
        return _value(tree, scope)
    except QueryError as error:
        raise QueryError(f"{text!r}: {error}") from error
    except (OverflowError, RecursionError) as error:
        raise QueryError("the expression, or a number in it, is too large") from error


def _parse(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise QueryError(f"an expression is at most {LONGEST} characters long")
    spelt = _TOKEN.sub(lambda match: _SPELT.get(match[0], match[0]), text.strip())
    try:
        return ast.parse(spelt, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise QueryError(f"{text!r} is not a metric math expression") from error


def _value(node: ast.expr, scope: Scope) -> Value:
    match node:
        case ast.Constant(value=bool()):
            raise QueryError(f"{node.value!r} is not a number")
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            if name not in scope.values:
                raise QueryError(f"no query has the id {name!r}")
            return scope.values[name]
        case ast.List(elts=items):
            return [each for item in items for each in _series(_value(item, scope))]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _combine(0.0, _value(operand, scope), operator.sub)
        case (
            ast.BinOp(op=op, left=left, right=right)
            | ast.Compare(ops=[op], left=left, comparators=[right])
        ) if type(op) in _OPERATORS:
            function = _OPERATORS[type(op)]
            return _combine(_value(left, scope), _value(right, scope), function)
        case ast.BoolOp(op=op, values=operands):
            function = _OPERATORS[type(op)]
            values = (_value(each, scope) for each in operands)
            return reduce(lambda a, b: _combine(a, b, function), values)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _call(name, arguments, scope)
    raise QueryError(f"metric math has no {type(node).__name__}")


def _series(value: Value) -> list[TimeSeries]:
    match value:
        case list():
            return value
        case TimeSeries():
            return [value]
    raise QueryError("an array contains time series, not numbers")


def _call(name: str, arguments: list[ast.expr], scope: Scope) -> Value:
    match name, arguments:
        case "METRICS", []:
            return _metrics("", scope)
        case "METRICS", [ast.Constant(value=str(part))]:
            return _metrics(part, scope)
        case "FILL", [filled, ast.Name(id="REPEAT")]:
            return _map_series(_repeat, _value(filled, scope))
    values = [_value(each, scope) for each in arguments]
    match name, values:
        case "TIME_SERIES", [float(number)]:
            return TimeSeries(values=(number,) * scope.windows, period=scope.period)
        case "TIME_SERIES", _:
            raise QueryError("TIME_SERIES takes a number")
        case "PERIOD", [series]:
            return series.period if isinstance(series, TimeSeries) else scope.period
    if name not in _FUNCTIONS:
        known = ", ".join(sorted({*_FUNCTIONS, "METRICS", "PERIOD", "TIME_SERIES"}))
        raise QueryError(f"the emulator has no function {name}; it has {known}")
    try:
        return _FUNCTIONS[name](*values)
    except (IndexError, AttributeError, TypeError) as error:
        raise QueryError(f"{name} takes other arguments") from error


def _metrics(part: str, scope: Scope) -> list[TimeSeries]:
    chosen = (scope.values[each] for each in scope.metrics if part in each)
    return [each for each in chosen if isinstance(each, TimeSeries)]
