"""A predicate with its argument as a plan has it, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.expectation import arguments
from hookgate.expectation.filter_step import Step
from hookgate.expectation.predicates import OF_LISTS, RULES
from hookgate.expectation.value import (
    Kind,
    Missing,
    Unreadable,
    kind_of,
    listed,
    not_finite,
    shown,
)


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
        return tuple(arguments.of_kind(kind, each) for each in written)
    if name == "between":
        low, high = (arguments.of_kind(kind or Kind.NUMBER, each) for each in written)
        if low > high:
            raise InvalidValue(
                f"{written[0]} is more than {written[1]}; swap them",
                code=Code.ASSERT_ARGUMENT,
            )
        return low, high
    if name in {"equals", "differs"}:
        return arguments.of_kind(kind, written)
    if name in _COMPARED:
        return arguments.of_kind(kind or Kind.NUMBER, written)
    if name in _PARTS:
        is_part = kind in {Kind.STRING, Kind.BYTES} or name != "contains"
        return arguments.of_kind(kind or Kind.STRING, written) if is_part else written
    return written


def _said(argument: Any) -> str:
    if isinstance(argument, Inner):
        return argument.expected
    if hasattr(argument, "search"):
        return str(argument.pattern)
    return shown(argument)
