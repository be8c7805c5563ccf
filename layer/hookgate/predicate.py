"""What may be expected of a value, and how to say what came instead.

NaN, null, empty, missing and unreadable are five different things, and no predicate
but ``exists`` holds for a value that is missing, unreadable or NaN.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hookgate.redaction import masked

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no such value; ``what`` says of what kind."""

    what: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Whether there is such a value cannot be told; ``why`` says why."""

    why: str


def holds(predicate: str, argument: Any, value: Any) -> bool:
    """Whether ``predicate`` with its ``argument`` holds for ``value``."""
    if isinstance(value, Unreadable):
        return False
    if predicate == "exists":
        return isinstance(value, Missing) is not argument
    if isinstance(value, Missing) or _is_nan(value):
        return False
    return _PREDICATES[predicate](value, argument)


def wanted(predicate: str, argument: Any) -> str:
    """Say what was expected: ``to equal "UP"``."""
    if predicate == "exists":
        return "to exist" if argument else "to be missing"
    if isinstance(argument, re.Pattern):
        return f"{_WORDS[predicate]} {argument.pattern}"
    return f"{_WORDS[predicate]} {shown(argument)}"


def shown(value: Any) -> str:
    """Say what came, bounded, with the special cases told apart."""
    if isinstance(value, Missing):
        return f"nothing: {value.what} is missing"
    if isinstance(value, Unreadable):
        return value.why
    if _is_nan(value):
        return "NaN, which is not a number and equals nothing"
    if value == "":
        return 'an empty text ("")'
    # Masked before it is cut: a mask does not know half a secret.
    text = masked(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; unlike in Python, true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            same(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _contains(value: Any, part: Any) -> bool:
    if isinstance(value, list):
        return any(same(each, part) for each in value)
    return isinstance(value, str) and isinstance(part, str) and part in value


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


_PREDICATES: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": same,
    "differs": lambda value, other: not same(value, other),
    "contains": _contains,
    "matches": lambda value, pattern: (
        isinstance(value, str) and pattern.search(value) is not None
    ),
    "above": lambda value, bound: _number(value) and value > bound,
    "below": lambda value, bound: _number(value) and value < bound,
}
_WORDS = {
    "equals": "to equal",
    "differs": "to differ from",
    "contains": "to contain",
    "matches": "to match",
    "above": "to be above",
    "below": "to be below",
}
