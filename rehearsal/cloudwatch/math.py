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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise


class MathError(ValueError):
    """An expression that cannot be evaluated; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSeries:
    """A time series: a value, or None where there is none, for each of its times.

    Attributes:
        values: One for each window, the oldest first.
        period: Seconds between them.
    """

    values: tuple[float | None, ...]
    period: float

    def map(self, function: Callable[[float], float | None]) -> TimeSeries:
        """The series with a function applied to every value there is."""
        values = tuple(None if v is None else function(v) for v in self.values)
        return TimeSeries(values=values, period=self.period)

    @property
    def present(self) -> list[float]:
        """The values that there are."""
        return [value for value in self.values if value is not None]


Value = float | TimeSeries | list[TimeSeries]

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
    if isinstance(left, TimeSeries) or isinstance(right, TimeSeries):
        return _pair(left, right, function)
    found = function(left, right)
    if found is None:
        raise MathError("a division by zero")
    return found


def _pair(
    left: float | TimeSeries, right: float | TimeSeries, function: Binary
) -> TimeSeries:
    if isinstance(left, TimeSeries) and isinstance(right, TimeSeries):
        values = tuple(
            None if a is None and b is None else function(a or 0.0, b or 0.0)
            for a, b in zip(left.values, right.values, strict=True)
        )
        return TimeSeries(values=values, period=left.period)
    if isinstance(left, TimeSeries):
        other = _number(right)
        return left.map(lambda value: function(value, other))
    other = _number(left)
    return _series(right).map(lambda value: function(other, value))


def _number(value: float | TimeSeries) -> float:
    if isinstance(value, TimeSeries):
        raise MathError("a number is needed where a time series is given")
    return value


def _series(value: float | TimeSeries) -> TimeSeries:
    if not isinstance(value, TimeSeries):
        raise MathError("a time series is needed where a number is given")
    return value


def fill(arguments: list[Value]) -> Value:
    """FILL with a number or another series."""
    given, filler = arguments
    if isinstance(given, list):
        return [_filled(each, filler) for each in given]
    if not isinstance(given, TimeSeries):
        raise MathError("FILL needs a time series")
    return _filled(given, filler)


def _filled(series: TimeSeries, filler: Value) -> TimeSeries:
    values = tuple(
        value_at(filler, place) if value is None else value
        for place, value in enumerate(series.values)
    )
    return TimeSeries(values=values, period=series.period)


def repeated(given: Value) -> Value:
    """FILL with REPEAT: repeat the previous value."""
    if isinstance(given, list):
        return [_repeated(each) for each in given]
    if not isinstance(given, TimeSeries):
        raise MathError("FILL needs a time series")
    return _repeated(given)


def _repeated(series: TimeSeries) -> TimeSeries:
    values: list[float | None] = []
    for value in series.values:
        values.append(values[-1] if value is None and values else value)
    return TimeSeries(values=tuple(values), period=series.period)


def value_at(value: Value | None, place: int) -> float | None:
    """A number itself, or the value of a series at a place."""
    if isinstance(value, list):
        raise MathError("an array of time series where one is needed")
    return value.values[place] if isinstance(value, TimeSeries) else value


Function = Callable[[list[Value]], Value]


def call(name: str, arguments: list[Value]) -> Value:
    """Call a function by its name.

    Raises:
        MathError: there is none, or it takes other arguments.
    """
    function = FUNCTIONS.get(name)
    if function is None:
        known = ", ".join(sorted({*FUNCTIONS, "METRICS", "PERIOD", "TIME_SERIES"}))
        raise MathError(f"the emulator has no function {name}; it has {known}")
    try:
        return function(arguments)
    except (IndexError, AttributeError, TypeError) as error:
        raise MathError(f"{name} takes other arguments") from error


def _each(function: Callable[[float], float | None]) -> Function:
    def apply(arguments: list[Value]) -> Value:
        (given,) = arguments
        match given:
            case TimeSeries():
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
        if isinstance(given, TimeSeries):
            return function(given.present) if given.present else 0.0
        if not isinstance(given, list) or not given:
            raise MathError("a time series is needed where a number is given")
        columns = zip(*(each.values for each in given), strict=True)
        values = tuple(_across(column, function, fills) for column in columns)
        return TimeSeries(values=values, period=given[0].period)

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
    if not isinstance(condition, TimeSeries):
        chosen = then if condition else otherwise
        if isinstance(then, TimeSeries) and chosen is None:
            return then.map(lambda _: None)
        if chosen is None:
            raise MathError("IF of a number needs a time series")
        return chosen
    values = tuple(
        _chosen(value, then, otherwise, place)
        for place, value in enumerate(condition.values)
    )
    return TimeSeries(values=values, period=condition.period)


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


def _difference(series: Value, per_second: bool) -> TimeSeries:
    if not isinstance(series, TimeSeries):
        raise MathError("a time series is needed where a number is given")
    divisor = series.period if per_second else 1.0
    values = (
        None if a is None or b is None else (b - a) / divisor
        for a, b in pairwise(series.values)
    )
    return TimeSeries(values=(None, *values), period=series.period)


def _running(arguments: list[Value]) -> Value:
    (given,) = arguments
    if not isinstance(given, TimeSeries):
        raise MathError("RUNNING_SUM needs a time series")
    total = accumulate(value or 0.0 for value in given.values)
    return TimeSeries(values=tuple(total), period=given.period)


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

#: CloudWatch's own bound on an expression, in characters.
LONGEST = 2048

_TOKEN = re.compile(r'"[^"]*"|\^|&&|\|\||\b(?:AND|OR)\b')

_SPELT = {"^": "**", "&&": " and ", "||": " or ", "AND": "and", "OR": "or"}


def _divided(left: float, right: float) -> float | None:
    return left / right if right else None


def _raised(left: float, right: float) -> float | None:
    try:
        found = left**right
    except (OverflowError, ZeroDivisionError):
        return None
    return None if isinstance(found, complex) else float(found)


_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float | None]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: _divided,
    ast.Pow: _raised,
}

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.LtE: operator.le,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
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
        MathError: it cannot be read.
    """
    tree = _parsed(text)
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    names = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and id(node) not in called
    }
    return names - {"REPEAT", "LINEAR"}


def evaluate(text: str, scope: Scope) -> Value:
    """Evaluate an expression.

    Raises:
        MathError: it cannot be read, or asks for what the emulator does not know.
    """
    try:
        return _value(_parsed(text), scope)
    except (OverflowError, RecursionError) as error:
        raise MathError("too large an expression, or number") from error


def _parsed(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise MathError(f"an expression is at most {LONGEST} characters long")
    spelt = _TOKEN.sub(lambda match: _SPELT.get(match[0], match[0]), text.strip())
    try:
        return ast.parse(spelt, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise MathError(f"{text!r} is no metric math expression") from error


def _value(node: ast.expr, scope: Scope) -> Value:  # noqa: C901 - one case for each node
    match node:
        case ast.Constant(value=bool()):
            raise MathError(f"{node.value!r} is no number")
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name():
            if node.id not in scope.values:
                raise MathError(f"no query has the id {node.id!r}")
            return scope.values[node.id]
        case ast.List():
            return [each for item in node.elts for each in _listed(item, scope)]
        case ast.UnaryOp(op=ast.USub()):
            return combine(0.0, _value(node.operand, scope), operator.sub)
        case ast.BinOp() if type(node.op) in _OPERATORS:
            left, right = _value(node.left, scope), _value(node.right, scope)
            return combine(left, right, _OPERATORS[type(node.op)])
        case ast.Compare(ops=[op], comparators=[other]) if type(op) in _COMPARISONS:
            compare = _COMPARISONS[type(op)]
            return combine(
                _value(node.left, scope),
                _value(other, scope),
                lambda a, b: float(compare(a, b)),
            )
        case ast.BoolOp():
            return _logical(node, scope)
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            return _called(name, node.args, scope)
    raise MathError(f"metric math has no {type(node).__name__}")


def _listed(node: ast.expr, scope: Scope) -> list[TimeSeries]:
    value = _value(node, scope)
    if isinstance(value, list):
        return value
    if isinstance(value, TimeSeries):
        return [value]
    raise MathError("an array has time series, not numbers")


def _logical(node: ast.BoolOp, scope: Scope) -> Value:
    both = isinstance(node.op, ast.And)

    def join(left: float, right: float) -> float:
        return float(bool(left) and bool(right) if both else bool(left) or bool(right))

    first, *others = (_value(each, scope) for each in node.values)
    for each in others:
        first = combine(first, each, join)
    return first


def _called(name: str, arguments: list[ast.expr], scope: Scope) -> Value:
    match name, arguments:
        case "METRICS", []:
            return _metrics("", scope)
        case "METRICS", [ast.Constant(value=str(part))]:
            return _metrics(part, scope)
        case "TIME_SERIES", [number]:
            value = _value(number, scope)
            if not isinstance(value, float):
                raise MathError("TIME_SERIES takes a number")
            return TimeSeries(values=(value,) * scope.windows, period=scope.period)
        case "PERIOD", [series]:
            found = _value(series, scope)
            return found.period if isinstance(found, TimeSeries) else scope.period
        case "FILL", [series, ast.Name(id="REPEAT")]:
            return repeated(_value(series, scope))
    return call(name, [_value(each, scope) for each in arguments])


def _metrics(part: str, scope: Scope) -> list[TimeSeries]:
    chosen = (scope.values[each] for each in scope.metrics if part in each)
    return [each for each in chosen if isinstance(each, TimeSeries)]
