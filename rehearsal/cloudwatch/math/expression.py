"""A metric math expression: read once, evaluated over time series.

Its grammar is a part of Python's, once ``^``, ``&&`` and ``||`` are written in Python's
way, so Python's own parser reads it; only the nodes named here are let through.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rehearsal.cloudwatch.math.fill import repeated
from rehearsal.cloudwatch.math.functions import call
from rehearsal.cloudwatch.math.values import MathError, Series, Value, combine

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
        MathError: it cannot be read, or asks for what the stage does not know.
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


def _listed(node: ast.expr, scope: Scope) -> list[Series]:
    value = _value(node, scope)
    if isinstance(value, list):
        return value
    if isinstance(value, Series):
        return [value]
    raise MathError("an array holds time series, not numbers")


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
            return Series(values=(value,) * scope.windows, period=scope.period)
        case "PERIOD", [series]:
            found = _value(series, scope)
            return found.period if isinstance(found, Series) else scope.period
        case "FILL", [series, ast.Name(id="REPEAT")]:
            return repeated(_value(series, scope))
    return call(name, [_value(each, scope) for each in arguments])


def _metrics(part: str, scope: Scope) -> list[Series]:
    chosen = (scope.values[each] for each in scope.metrics if part in each)
    return [each for each in chosen if isinstance(each, Series)]
