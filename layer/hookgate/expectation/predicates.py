"""What may be expected of a value.

The answer is yes, no, or that it cannot be said of such a value. Only yes passes: a
value that is missing, unreadable, NaN or of a kind that the predicate does not take
satisfies nothing, not even the opposite of the predicate. ``exists`` alone is about
being there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hookgate.expectation.value import Kind, encodable, kind_of, same

_ALL = frozenset(Kind)
_ORDERED = frozenset({Kind.NUMBER, Kind.DATE, Kind.DURATION, Kind.SIZE})
_SIZED = frozenset({Kind.STRING, Kind.ARRAY, Kind.OBJECT, Kind.BYTES})
_TEXTUAL = frozenset({Kind.STRING, Kind.BYTES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One predicate: its words, what it takes, and how it is told."""

    words: str
    takes: frozenset[Kind]
    holds: Callable[[Any, Any], bool | None]


class _Inner(Protocol):
    """What ``each`` and ``any`` ask of an element."""

    def weigh(self, value: Any) -> bool | None: ...


def _contains(value: Any, part: Any) -> bool | None:
    if isinstance(value, list | tuple):
        return any(same(each, part) for each in value)
    if isinstance(value, dict):
        return isinstance(part, str) and part in value
    return part in value if isinstance(part, type(value)) else None


def _begins(end: str) -> Callable[[Any, Any], bool | None]:
    def holds(value: Any, part: Any) -> bool | None:
        return getattr(value, end)(part) if isinstance(part, type(value)) else None

    return holds


def _has_type(value: Any, name: str) -> bool:
    if name == "integer":
        whole = isinstance(value, int) or (
            isinstance(value, float) and value.is_integer()
        )
        return kind_of(value) is Kind.NUMBER and whole
    return kind_of(value) == name


def _each(values: Any, inner: _Inner) -> bool | None:
    told = [inner.weigh(each) for each in values]
    if False in told:
        return False
    return True if told and None not in told else None


def _any(values: Any, inner: _Inner) -> bool | None:
    told = [inner.weigh(each) for each in values]
    if True in told:
        return True
    return None if None in told else False


#: Every predicate but ``exists`` and ``not``, which take what is missing, too.
RULES: Mapping[str, Rule] = {
    name: Rule(words=words, takes=frozenset(takes), holds=holds)
    for name, words, takes, holds in (
        ("equals", "to equal", _ALL, same),
        ("differs", "to differ from", _ALL, lambda a, b: not same(a, b)),
        ("above", "to be above", _ORDERED, lambda a, b: a > b),
        ("below", "to be below", _ORDERED, lambda a, b: a < b),
        ("at_least", "to be at least", _ORDERED, lambda a, b: a >= b),
        ("at_most", "to be at most", _ORDERED, lambda a, b: a <= b),
        ("between", "to be between", _ORDERED, lambda a, b: b[0] <= a <= b[1]),
        ("contains", "to contain", _SIZED, _contains),
        ("starts", "to start with", _TEXTUAL, _begins("startswith")),
        ("ends", "to end with", _TEXTUAL, _begins("endswith")),
        (
            "matches",
            "to match",
            {Kind.STRING},
            lambda a, b: b.search(encodable(a)) is not None,
        ),
        ("one_of", "to be one of", _ALL, lambda a, b: any(same(a, each) for each in b)),
        ("is_null", "", _ALL, lambda a, b: (a is None) is b),
        ("is_empty", "", _SIZED, lambda a, b: (not a) is b),
        ("has_type", "to have the type", _ALL, _has_type),
        ("has_length", "to have the length", _SIZED, lambda a, b: len(a) == b),
        ("each", "each element", {Kind.ARRAY}, _each),
        ("any", "an element", {Kind.ARRAY}, _any),
    )
}
#: The names of all predicates.
NAMES = (*RULES, "exists", "not")
#: What ``has_type`` may ask for.
TYPES = (*(str(kind) for kind in Kind), "integer")
#: Those that take a list as a whole where a query leads to several places.
OF_LISTS = frozenset({"each", "any"})
