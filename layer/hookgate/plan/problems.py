"""Everything that is wrong with a plan, gathered so that one reading tells all."""

from __future__ import annotations

from collections.abc import Iterable

from hookgate.errors import Place, PlanError
from hookgate.redaction import masked

Problem = tuple[Place, str]

#: More than a person reads, and few enough for a log line.
_MOST = 50
_LONGEST = 1000
_SHOWN = 60


class Problems:
    """A growing list of problems of one plan."""

    def __init__(self) -> None:
        """Start with nothing wrong."""
        self._found: dict[Problem, None] = {}

    def add(self, place: Place, what: str) -> None:
        """Note a problem; the same one twice counts once."""
        # Masked before it is cut: a mask does not know half a secret.
        line = masked(" ".join(what.splitlines()))
        self._found[place, line[:_LONGEST]] = None

    def extend(self, found: Iterable[Problem]) -> None:
        """Note several problems."""
        for place, what in found:
            self.add(place, what)

    def places(self) -> frozenset[Place]:
        """Where something is known to be wrong."""
        return frozenset(place for place, _ in self._found)

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._found)

    def error(self) -> PlanError:
        """All problems in the order of the file, the first fifty spelled out."""
        ordered = sorted(
            self._found, key=lambda each: (each[0].line, each[0].column, each[1])
        )
        shown, rest = ordered[:_MOST], ordered[_MOST:]
        if rest:
            shown.append((rest[0][0], f"and {len(rest)} more problems from here on"))
        return PlanError(tuple(shown))


def shown(text: str) -> str:
    """Quote what a plan says, cut to a length that a message can bear."""
    whole = masked(text)
    return repr(whole if len(whole) <= _SHOWN else whole[:_SHOWN] + "…")
