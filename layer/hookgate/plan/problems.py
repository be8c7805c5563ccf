"""Everything that is wrong with a plan, gathered so that one reading tells all."""

from __future__ import annotations

from collections.abc import Iterable

from hookgate.codes import Code
from hookgate.errors import Place, PlanError, Problem
from hookgate.redaction import masked

#: More than a person reads, and few enough for a log line.
_MOST = 50
_LONGEST = 1000
_SHOWN = 60


class Problems:
    """A growing list of problems of one plan."""

    def __init__(self) -> None:
        """Start with nothing wrong."""
        self._found: dict[Problem, None] = {}

    def add(self, place: Place, code: str, what: str) -> None:
        """Note a problem; the same one twice counts once."""
        # Masked before it is cut: a mask does not know half a secret.
        line = masked(" ".join(what.splitlines()))
        self._found[Problem(place, code, line[:_LONGEST])] = None

    def extend(self, found: Iterable[Problem]) -> None:
        """Note several problems."""
        for each in found:
            self.add(each.place, each.code, each.message)

    def places(self) -> frozenset[Place]:
        """Where something is known to be wrong."""
        return frozenset(each.place for each in self._found)

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._found)

    def error(self) -> PlanError:
        """All problems in the order of the file, the first fifty spelled out."""
        ordered = sorted(
            self._found,
            key=lambda each: (each.place.line, each.place.column, each.message),
        )
        shown, rest = ordered[:_MOST], ordered[_MOST:]
        if rest:
            more = f"and {len(rest)} more problems from here on"
            shown.append(Problem(rest[0].place, Code.PLAN_MORE, more))
        return PlanError(*shown)


def shown(text: str) -> str:
    """Quote what a plan says, cut to a length that a message can bear."""
    whole = masked(text)
    return repr(whole if len(whole) <= _SHOWN else whole[:_SHOWN] + "…")
