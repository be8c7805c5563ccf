"""One step of a ``filter``: a filter with its argument, as a plan has it.

A filter takes certain kinds of values. What it does not take, and what it cannot
read, becomes ``Unreadable`` and says so; a value that is missing stays missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.expectation import arguments
from hookgate.expectation.filters import RULES
from hookgate.expectation.value import (
    Kind,
    Missing,
    Unreadable,
    kind_of,
    listed,
    not_finite,
    shown,
)

#: More than anybody chains, and the most that a text may grow to.
MOST = 20
LARGEST = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Step:
    """A filter with its argument, as a plan has it."""

    name: str
    written: Any
    argument: tuple[Any, ...]

    def __call__(self, value: Any) -> Any:
        """Apply it; a value that is missing or unreadable stays so."""
        if isinstance(value, Missing | Unreadable):
            return value
        rule = RULES[self.name]
        if not_finite(value) or kind_of(value) not in rule.takes:
            return Unreadable(
                f"{shown(value)}, and {self.name} takes {listed(rule.takes)}"
            )
        try:
            made = rule.apply(value, *self.argument)
        except RecursionError:
            return Unreadable(f"a value that is nested too deeply for {self.name}")
        if isinstance(made, str | bytes) and len(made) > LARGEST:
            return Unreadable(f"more than {LARGEST} characters after {self.name}")
        return made


def step(written: object) -> Step:
    """Read ``lower`` or ``{split: ","}``.

    Raises:
        ValueError: there is no such filter, or its argument is wrong.
    """
    if isinstance(written, Step):
        return written
    name, given = _parts(written)
    rule = RULES.get(name)
    if rule is None:
        raise InvalidValue(
            f"unknown filter {name[:64]!r}{arguments.did_you_mean(name, RULES)}",
            code=Code.ASSERT_FILTER,
        )
    if not given:
        if rule.argument and not rule.optional:
            raise InvalidValue(
                f"{name} needs {rule.argument.what}; write {{{name}: …}}",
                code=Code.ASSERT_ARGUMENT,
            )
        return Step(name, written, ())
    if rule.argument is None:
        raise InvalidValue(
            f"{name} takes no argument; write it alone: {name}",
            code=Code.ASSERT_ARGUMENT,
        )
    try:
        return Step(name, written, (rule.argument.read(given[0]),))
    except ValueError as error:
        raise InvalidValue.within(name, error) from None


def check_chain(steps: Sequence[Step], kind: Kind | None) -> Kind | None:
    """The kind that comes out when ``kind`` goes in, as far as it can be known.

    Raises:
        ValueError: a filter is given what it does not take.
    """
    before = "the query"
    for each in steps:
        rule = RULES[each.name]
        if kind is not None and kind not in rule.takes:
            raise InvalidValue(
                f"{each.name} takes {listed(rule.takes)}, and {before} gives "
                f"{listed([kind])}",
                code=Code.ASSERT_KIND,
            )
        kind, before = rule.gives, each.name
    return kind


def _parts(written: object) -> tuple[str, tuple[Any, ...]]:
    if isinstance(written, str):
        return written, ()
    if isinstance(written, dict) and len(written) == 1:
        name, argument = next(iter(written.items()))
        return str(name), (argument,)
    raise InvalidValue(
        'a filter is its name, or one key such as {split: ","}', code=Code.ASSERT_FILTER
    )


def _json_schema() -> dict[str, Any]:
    alone = [n for n, each in RULES.items() if not each.argument or each.optional]
    given = {
        name: {**each.argument.schema, "description": each.does}
        for name, each in RULES.items()
        if each.argument
    }
    return {
        "anyOf": [
            {"type": "string", "enum": alone},
            {
                "type": "object",
                "properties": given,
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ]
    }


#: One filter of a plan.
Filter = Annotated[
    Any,
    BeforeValidator(step),
    PlainSerializer(lambda each: each.written),
    WithJsonSchema(_json_schema()),
]
