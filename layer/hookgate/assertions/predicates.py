"""Predicates: what a value must be, and the words for it in findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hookgate.assertions import filters
from hookgate.assertions.filters import CompiledFilter
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
class PredicateType:
    """One predicate: its words in findings, the kinds it takes, and its check."""

    words: str
    takes: frozenset[Kind]
    check: Callable[[Any, Any], bool | None]


def _contains(value: Any, part: Any) -> bool | None:
    if isinstance(value, list | tuple):
        return any(same(each, part) for each in value)
    if isinstance(value, dict):
        return isinstance(part, str) and part in value
    return part in value if isinstance(part, type(value)) else None


def _begins(end: str) -> Callable[[Any, Any], bool | None]:
    def check(value: Any, part: Any) -> bool | None:
        return getattr(value, end)(part) if isinstance(part, type(value)) else None

    return check


def _has_type(value: Any, name: str) -> bool:
    if name == "integer":
        whole = isinstance(value, int) or (
            isinstance(value, float) and value.is_integer()
        )
        return kind_of(value) is Kind.NUMBER and whole
    return kind_of(value) == name


def _each(values: Any, inner: FilteredPredicate) -> bool | None:
    results = [inner.evaluate(each) for each in values]
    if False in results:
        return False
    return True if results and None not in results else None


def _any(values: Any, inner: FilteredPredicate) -> bool | None:
    results = [inner.evaluate(each) for each in values]
    if True in results:
        return True
    return None if None in results else False


#: Every predicate but ``exists`` and ``not``, which also take a missing value.
PREDICATES: Mapping[str, PredicateType] = {
    name: PredicateType(words=words, takes=frozenset(takes), check=check)
    for name, words, takes, check in (
        ("equals", "", _ALL, same),
        ("differs", "any value but", _ALL, lambda a, b: not same(a, b)),
        ("above", "more than", _ORDERED, lambda a, b: a > b),
        ("below", "less than", _ORDERED, lambda a, b: a < b),
        ("at_least", "at least", _ORDERED, lambda a, b: a >= b),
        ("at_most", "at most", _ORDERED, lambda a, b: a <= b),
        ("between", "between", _ORDERED, lambda a, b: b[0] <= a <= b[1]),
        ("contains", "to contain", _SIZED, _contains),
        ("starts", "to start with", _TEXTUAL, _begins("startswith")),
        ("ends", "to end with", _TEXTUAL, _begins("endswith")),
        (
            "matches",
            "to match",
            {Kind.STRING},
            lambda a, b: b.search(encodable(a)) is not None,
        ),
        ("one_of", "one of", _ALL, lambda a, b: any(same(a, each) for each in b)),
        ("is_null", "", _ALL, lambda a, b: (a is None) is b),
        ("is_empty", "", _SIZED, lambda a, b: (not a) is b),
        ("has_type", "the type", _ALL, _has_type),
        ("has_length", "the length", _SIZED, lambda a, b: len(a) == b),
        ("each", "each element to be", {Kind.ARRAY}, _each),
        ("any", "an element to be", {Kind.ARRAY}, _any),
    )
}

#: The names of all predicates.
NAMES = (*PREDICATES, "exists", "not")

#: The arguments of ``has_type``.
TYPES = (*(str(kind) for kind in Kind), "integer")

#: The predicates that take all values of a query together, as a list.
OF_LISTS = frozenset({"each", "any"})


@dataclass(frozen=True, slots=True)
class CompiledPredicate:
    """A predicate with its argument, for ``not`` and lists another predicate."""

    name: str
    argument: Any

    def evaluate(self, value: Any) -> bool | None:
        """Whether ``value`` satisfies it; None if the two cannot be compared."""
        if isinstance(value, Unreadable):
            return None
        if self.name == "not":
            inner = self.argument.evaluate(value)
            return None if inner is None else not inner
        if self.name == "exists":
            return isinstance(value, Missing) is not self.argument
        if isinstance(value, Missing) or not_finite(value):
            return None
        rule = PREDICATES[self.name]
        if kind_of(value) not in rule.takes:
            return None
        return rule.check(value, self.argument)

    @property
    def takes_list(self) -> bool:
        """Whether it takes all values of a query together."""
        inner = self.name == "not" and self.argument.takes_list
        return self.name in OF_LISTS or inner

    @property
    def expected(self) -> str:
        """The expected value in words, such as ``more than 3``."""
        if self.name == "not":
            return f"not {self.argument.expected}"
        if self.name in _CHOICE:
            return _CHOICE[self.name][bool(self.argument)]
        words = PREDICATES[self.name].words
        if self.name in _LISTED:
            return f"{words} {_LISTED[self.name].join(map(shown, self.argument))}"
        text = _in_words(self.argument)
        if text.startswith("to "):
            words = words.removesuffix(" to be")
        return f"{words} {text}".lstrip()

    def actual(self, value: Any) -> str:
        """The actual value in words, and why the predicate does not take it."""
        text = shown(value)
        is_no_value = isinstance(value, Missing | Unreadable) or not_finite(value)
        if is_no_value or self.name in {"exists", "not"}:
            return text
        rule = PREDICATES[self.name]
        if kind_of(value) not in rule.takes:
            kind = listed([kind_of(value)])
            return f"{text}: {self.name} takes {listed(rule.takes)}, not {kind}"
        return text


@dataclass(frozen=True, slots=True)
class FilteredPredicate:
    """Filters, then a predicate."""

    steps: tuple[CompiledFilter, ...]
    predicate: CompiledPredicate

    def evaluate(self, value: Any) -> bool | None:
        """Whether ``value`` satisfies the predicate after the filters."""
        for step in self.steps:
            value = step(value)
        return self.predicate.evaluate(value)

    @property
    def takes_list(self) -> bool:
        """Whether it takes all values of a query together."""
        return bool(self.steps) or self.predicate.takes_list

    @property
    def expected(self) -> str:
        """The expected value in words."""
        names = ", ".join(each.name for each in self.steps)
        return self.predicate.expected + (f" after {names}" if names else "")


_CHOICE = {
    "exists": {True: "a value", False: "no value"},
    "is_null": {True: "null", False: "not null"},
    "is_empty": {True: "an empty value", False: "not an empty value"},
}

_LISTED = {"between": " and ", "one_of": ", "}

_COMPARED = {"equals", "differs", "above", "below", "at_least", "at_most"}

_PARTS = {"contains", "starts", "ends"}


def argument_for(name: str, written: Any, kind: Kind | None) -> Any:
    """Read a predicate's argument for a value of ``kind``, None if that is unknown.

    Raises:
        ValueError: the argument is wrong, or no value of that kind satisfies it.
    """
    if name in PREDICATES and kind is not None and kind not in PREDICATES[name].takes:
        raise InvalidValue(
            f"{name} takes {listed(PREDICATES[name].takes)}, not {listed([kind])}",
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


def _in_words(argument: Any) -> str:
    if isinstance(argument, FilteredPredicate):
        return argument.expected
    if hasattr(argument, "search"):
        return str(argument.pattern)
    return shown(argument)
