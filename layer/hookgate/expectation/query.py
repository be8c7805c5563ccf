"""A query with its argument as a plan has it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hookgate.expectation.queries import ATTRIBUTES, FIELDS, RULES, Found
from hookgate.expectation.value import Kind
from hookgate.probe import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query with its argument, as a plan has it."""

    name: str
    argument: Any = None
    attribute: str | None = None

    def __call__(self, reply: Reply) -> Found:
        """Ask it of an answer."""
        given = [each for each in (self.argument, self.attribute) if each is not None]
        found = RULES[self.name].ask(reply, *given)
        if isinstance(found, Found):
            return found
        where = " ".join(self._words())
        return Found(where, ((where, found),))

    def kinds(self) -> tuple[Kind | None, Kind | None]:
        """The kind of each value, and of all together where they can be several.

        None where that depends on the answer, or where there is only one.
        """
        if self.name == "jsonpath":
            return None, None if self.argument.singular_query() else Kind.ARRAY
        if self.name == "certificate":
            return FIELDS[self.argument], None
        if self.name == "cookie" and self.attribute:
            return ATTRIBUTES[self.attribute], None
        rule = RULES[self.name]
        return rule.gives, Kind.ARRAY if rule.several else None

    def _words(self) -> Iterator[str]:
        yield self.name
        if self.argument is not None:
            yield str(getattr(self.argument, "pattern", self.argument))
        if self.attribute is not None:
            yield self.attribute
