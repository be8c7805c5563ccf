"""A scenario as a whole: what can be told of it before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.scenario.step import Call, Group
from hookgate.scenario.variables import NAME, names

#: Requests of one run, loops unrolled and without what is asked again.
MOST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Steps in order, steps that always run at the end, and variables to begin with."""

    steps: Sequence[Call | Group]
    cleanup: Sequence[Call | Group] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Check what single steps cannot tell.

        Raises:
            ValueError: a variable is not known where it is used, a name stands for
                two things, or there are too many requests.
        """
        for name in self.variables:
            if not NAME.fullmatch(name) or name == "row":
                raise InvalidValue(
                    f"{name[:64]!r} cannot name a variable: write letters, digits, "
                    "'_', '-'; row is the row of a loop",
                    code=Code.SCENARIO_VARIABLE,
                )
        known = set(self.variables)
        _check(self.steps, known, looped=False)
        _check(self.cleanup, known, looped=False)
        count = _requests(self.steps) + _requests(self.cleanup)
        if count > MOST:
            raise InvalidValue(
                f"{count} requests with all rows; at most {MOST}",
                code=Code.SCENARIO_SIZE,
            )

    @property
    def worst_case(self) -> float:
        """The longest that one run may take, in seconds."""
        return seconds(self.steps) + seconds(self.cleanup)


def seconds(items: Sequence[Call | Group]) -> float:
    """The longest that steps may take, one after the other, in seconds."""
    return sum(
        each.patience.worst_case(each.timeout)
        if isinstance(each, Call)
        else len(each.rows) * seconds(each.steps)
        for each in items
    )


def _requests(items: Sequence[Call | Group]) -> int:
    return sum(
        1 if isinstance(each, Call) else len(each.rows) * _requests(each.steps)
        for each in items
    )


def _check(items: Sequence[Call | Group], known: set[str], *, looped: bool) -> None:
    """Follow the steps in order, and add what they capture to ``known``."""
    for each in items:
        if isinstance(each, Group):
            _check(each.steps, known, looped=looped or each.for_each is not None)
            continue
        for name in names(each.written):
            head = name.partition(".")[0]
            if head == "row" and not looped:
                raise InvalidValue(
                    f"{each.title}: {{{{{name}}}}} is the row of a for_each, and there "
                    "is none around this step",
                    code=Code.SCENARIO_VARIABLE,
                )
            if head != "row" and head not in known:
                hint = _hint(head, known)
                what = f"{each.title}: unknown variable {{{{{name}}}}}{hint}"
                raise InvalidValue(what, code=Code.SCENARIO_VARIABLE)
        if "row" in each.capture:
            raise InvalidValue(
                f"{each.title}: row is the row of a loop; capture another",
                code=Code.SCENARIO_VARIABLE,
            )
        known.update(each.capture)


def _hint(name: str, known: set[str]) -> str:
    close = get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean {{{{{close[0]}}}}}?"
    there = ", ".join(sorted(known)) or "none"
    return (
        f"; known here: {there}. Capture it in an earlier step, or set it in variables"
    )


def calls(items: Sequence[Call | Group], row: Any = None) -> Iterator[tuple[Call, Any]]:
    """Every request in order with the row it is for, loops unrolled."""
    for each in items:
        if isinstance(each, Call):
            yield each, row
            continue
        for own in each.rows:
            yield from calls(each.steps, row if each.for_each is None else own)
