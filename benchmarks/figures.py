"""Figures that were measured, compared with their bounds, as a table."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

_HEAD = ("", "runs", "minimum", "median", "maximum", "bound", "met")


class NotMeasured(Exception):
    """There are no figures: the message says what is missing and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The most, or with ``is_least`` the least, that a figure may be."""

    limit: float
    of: str
    figure: Callable[[Sequence[float]], float]
    is_least: bool = False

    @property
    def sign(self) -> str:
        """How the figure must compare."""
        return "≥" if self.is_least else "≤"

    def is_met(self, values: Sequence[float]) -> bool:
        """Whether values meet the bound."""
        figure = self.figure(values)
        return figure >= self.limit if self.is_least else figure <= self.limit


def median_at_most(most: float) -> Bound:
    """A bound on the median, for what the machine's other work disturbs."""
    return Bound(limit=most, of="median", figure=statistics.median)


def each_at_most(most: float) -> Bound:
    """A bound that every run keeps."""
    return Bound(limit=most, of="maximum", figure=max)


def median_at_least(least: float) -> Bound:
    """A lower bound on the median."""
    return Bound(limit=least, of="median", figure=statistics.median, is_least=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One thing that was measured, at least once.

    Args:
        what: what it is.
        unit: what the values count, such as ``ms``; ``x`` for a ratio.
        values: one for each run.
        bound: what it may be at most; None where it only explains another.
    """

    what: str
    unit: str
    values: tuple[float, ...]
    bound: Bound | None = None

    @property
    def is_met(self) -> bool:
        """Whether the bound is met, or there is none."""
        return self.bound is None or self.bound.is_met(self.values)

    def row(self) -> tuple[str, ...]:
        """The cells of a table's row."""
        bound = self.bound
        return (
            self.what,
            str(len(self.values)),
            self._format(min(self.values)),
            self._format(statistics.median(self.values)),
            self._format(max(self.values)),
            f"{bound.of} {bound.sign} {self._format(bound.limit)}" if bound else "",
            "" if bound is None else "yes" if self.is_met else "NO",
        )

    def _format(self, value: float) -> str:
        digits = 2 if value < 10 else 1 if value < 100 else 0
        return f"{value:.{digits}f} {self.unit}"


def table(measured: Iterable[Measured]) -> str:
    """What was measured, a line each, under a head; numbers are right-aligned."""
    rows = [_HEAD, *(each.row() for each in measured)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.rjust(width) if index else cell.ljust(width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join((first, *others)).rstrip()
