"""Lifecycle events as bars on one scale of time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

#: Readable distances between two marks of the scale, in seconds.
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600)
_MOST_MARKS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The start and length of an event, in percent of the scale."""

    start: float
    length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A mark of the scale: its place in percent, and its time in seconds."""

    at: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The bars of the events in order, None for one that never began, and the scale."""

    bars: tuple[Bar | None, ...]
    marks: tuple[Mark, ...]
    seconds: float


def timeline(events: Iterable[Mapping[str, Any]]) -> Timeline:
    """Lay a record's lifecycle events out from the first start to the last end."""
    spans = [_span(each) for each in events]
    known = [span for span in spans if span is not None]
    begun = min((span[0] for span in known), default=0.0)
    total = max((span[1] for span in known), default=0.0) - begun
    bars = tuple(None if span is None else _bar(span, begun, total) for span in spans)
    return Timeline(bars=bars, marks=_marks(total), seconds=total)


def _span(event: Mapping[str, Any]) -> tuple[float, float] | None:
    """When an event began and ended, in epoch seconds."""
    if not event["started_at"] or event["status"] in {"Pending", "Skipped"}:
        return None
    started = datetime.fromisoformat(event["started_at"]).timestamp()
    return started, started + event["duration_ms"] / 1000


def _bar(span: tuple[float, float], begun: float, total: float) -> Bar:
    if not total:
        return Bar(start=0.0, length=0.0)
    start, end = span
    return Bar(start=100 * (start - begun) / total, length=100 * (end - start) / total)


def _marks(total: float) -> tuple[Mark, ...]:
    if not total:
        return ()
    step = next((each for each in _STEPS if total / each < _MOST_MARKS), total)
    return tuple(
        Mark(at=100 * number * step / total, seconds=number * step)
        for number in range(int(total / step) + 1)
    )
