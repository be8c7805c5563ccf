"""A predicate with its argument as a plan has it, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hookgate.assertions import filters
from hookgate.assertions.filters import Step
from hookgate.assertions.values import (
    Kind,
    Missing,
    Unreadable,
    encodable,
    kind_of,
    listed,
    not_finite,
    same,
    shown,
)
from hookgate.codes import Code
from hookgate.errors import InvalidValue

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


@dataclass(frozen=True, slots=True)
class Predicate:
    """A predicate with its argument, as a plan has it.

    The argument of ``each``, ``any`` and ``not`` is an ``Inner``.
    """

    name: str
    argument: Any

    def weigh(self, value: Any) -> bool | None:
        """Whether it holds for ``value``; None when that cannot be said."""
        if isinstance(value, Unreadable):
            return None
        if self.name == "not":
            inner = self.argument.weigh(value)
            return None if inner is None else not inner
        if self.name == "exists":
            return isinstance(value, Missing) is not self.argument
        if isinstance(value, Missing) or not_finite(value):
            return None
        rule = RULES[self.name]
        if kind_of(value) not in rule.takes:
            return None
        return rule.holds(value, self.argument)

    @property
    def takes_list(self) -> bool:
        """Whether it is about all of several values together."""
        inner = self.name == "not" and self.argument.takes_list
        return self.name in OF_LISTS or inner

    @property
    def expected(self) -> str:
        """What was expected, in words: ``to equal "UP"``."""
        if self.name == "not":
            return f"not {self.argument.expected}"
        if self.name in _CHOICE:
            return _CHOICE[self.name][bool(self.argument)]
        words = RULES[self.name].words
        if self.name in _LISTED:
            said = _LISTED[self.name].join(shown(each) for each in self.argument)
            return f"{words} {said}"
        return f"{words} {_said(self.argument)}"

    def came(self, value: Any) -> str:
        """What came instead, and why nothing can be said of it if that is so."""
        text = shown(value)
        told = isinstance(value, Missing | Unreadable) or not_finite(value)
        if told or self.name in {"exists", "not"}:
            return text
        rule = RULES[self.name]
        if kind_of(value) not in rule.takes:
            kind = listed([kind_of(value)])
            return f"{text}: {self.name} takes {listed(rule.takes)}, and this is {kind}"
        return text


@dataclass(frozen=True, slots=True)
class Inner:
    """What ``each`` and ``any`` ask of an element: filters, then a predicate."""

    steps: tuple[Step, ...]
    predicate: Predicate

    def weigh(self, value: Any) -> bool | None:
        """Judge one element."""
        for step in self.steps:
            value = step(value)
        return self.predicate.weigh(value)

    @property
    def takes_list(self) -> bool:
        """Whether it is about all of several values together."""
        return bool(self.steps) or self.predicate.takes_list

    @property
    def expected(self) -> str:
        """What was expected, in words."""
        names = ", ".join(each.name for each in self.steps)
        return (
            f"{names} {self.predicate.expected}" if names else self.predicate.expected
        )


_CHOICE = {
    "exists": {True: "to exist", False: "to be missing"},
    "is_null": {True: "to be null", False: "not to be null"},
    "is_empty": {True: "to be empty", False: "not to be empty"},
}

_LISTED = {"between": " and ", "one_of": ", "}

_COMPARED = {"equals", "differs", "above", "below", "at_least", "at_most"}

_PARTS = {"contains", "starts", "ends"}


def argument_for(name: str, written: Any, kind: Kind | None) -> Any:
    """Read a predicate's argument for a value of ``kind``, None if that is unknown.

    Raises:
        ValueError: it does not fit, or no value of that kind can satisfy the predicate.
    """
    if name in RULES and kind is not None and kind not in RULES[name].takes:
        raise InvalidValue(
            f"{name} takes {listed(RULES[name].takes)}, and this is {listed([kind])}",
            code=Code.ASSERT_KIND,
        )
    try:
        return _read(name, written, kind)
    except ValueError as error:
        raise InvalidValue.within(name, error) from None


def _read(name: str, written: Any, kind: Kind | None) -> Any:
    if name == "one_of":
        return tuple(filters.of_kind(kind, each) for each in written)
    if name == "between":
        low, high = (filters.of_kind(kind or Kind.NUMBER, each) for each in written)
        if low > high:
            raise InvalidValue(
                f"{written[0]} is more than {written[1]}; swap them",
                code=Code.ASSERT_ARGUMENT,
            )
        return low, high
    if name in {"equals", "differs"}:
        return filters.of_kind(kind, written)
    if name in _COMPARED:
        return filters.of_kind(kind or Kind.NUMBER, written)
    if name in _PARTS:
        is_part = kind in {Kind.STRING, Kind.BYTES} or name != "contains"
        return filters.of_kind(kind or Kind.STRING, written) if is_part else written
    return written


def _said(argument: Any) -> str:
    if isinstance(argument, Inner):
        return argument.expected
    if hasattr(argument, "search"):
        return str(argument.pattern)
    return shown(argument)
