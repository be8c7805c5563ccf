"""The report of a rehearsal as one HTML page that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hookgate_cli.printable import printable_record
from hookgate_cli.words import (
    duration_text,
    fault_lines,
    mark,
    plans_of,
    side,
    waivers_of,
)

#: Readable distances between two marks of the scale, in seconds.
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600)

_MOST_MARKS = 5


class Bar(NamedTuple):
    """The start and length of an event, in percent of the scale."""

    start: float
    length: float


class Mark(NamedTuple):
    """A mark of the scale: its place in percent, and its time in seconds."""

    at: float
    seconds: float


class Timeline(NamedTuple):
    """The bars of the events in order, None for one that never began, and the scale."""

    bars: tuple[Bar | None, ...]
    marks: tuple[Mark, ...]
    seconds: float


def timeline(events: Iterable[Mapping[str, Any]]) -> Timeline:
    """Lay a record's lifecycle events out from the first start to the last end."""
    spans = [_span(each) for each in events]
    begun = min((start for start, _ in filter(None, spans)), default=0.0)
    total = max((end for _, end in filter(None, spans)), default=0.0) - begun
    percent = 100 / total if total else 0.0
    bars = tuple(
        span and Bar(percent * (span[0] - begun), percent * (span[1] - span[0]))
        for span in spans
    )
    return Timeline(bars, _marks(total), total)


def _span(event: Mapping[str, Any]) -> tuple[float, float] | None:
    """When an event began and ended, in epoch seconds."""
    if not event["started_at"] or event["status"] in {"Pending", "Skipped"}:
        return None
    started = datetime.fromisoformat(event["started_at"]).timestamp()
    return started, started + event["duration_ms"] / 1000


def _marks(total: float) -> tuple[Mark, ...]:
    if not total:
        return ()
    step = next((each for each in _STEPS if total / each < _MOST_MARKS), total)
    return tuple(
        Mark(at=100 * number * step / total, seconds=number * step)
        for number in range(int(total / step) + 1)
    )


#: The kind of a status, which decides its color.
_KINDS = {
    "passed": "good",
    "Succeeded": "good",
    "failed": "bad",
    "Failed": "bad",
    "Stopped": "bad",
    "errored": "bad",
    "inconclusive": "unsure",
}


def page_of(record: Mapping[str, Any]) -> str:
    """The page of a rehearsal record ``hookgate.rehearsal/1``."""
    record = printable_record(record)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "duration": duration_text,
        "kind": lambda status: _KINDS.get(status, "quiet"),
        "mark": mark,
        "plain": _plain,
        "clock": _clock,
        "count": lambda number: f"{number:,}",
    }
    deployments = [_shown(each) for each in record["deployments"]]
    traffic = [each["production_traffic"] for each in deployments]
    return environment.get_template("page.html.j2").render(
        deployments=deployments,
        interrupted=record["interrupted"],
        not_run=record["not_run"],
        good=sum(each["as_expected"] for each in deployments),
        began=_began(deployments),
        milliseconds=sum(each["milliseconds"] for each in deployments),
        requests=sum(each["requests"] for each in traffic),
        failed=sum(each["failed"] for each in traffic),
    )


def _shown(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """A deployment's record, and what the page computes from it."""
    events = deployment["lifecycle_events"]
    line = timeline(events)
    return {
        **deployment,
        "rows": list(zip(events, line.bars, strict=True)),
        "marks": line.marks,
        "milliseconds": line.seconds * 1000,
        "expected_result": _expected_result(deployment["expect"]),
        "waivers": waivers_of(deployment),
        "plans": plans_of(deployment),
        "fault_lines": fault_lines(deployment["faults"]),
        "shares": _shares(deployment),
    }


def _expected_result(expected: Mapping[str, Any]) -> str:
    at = f" at {expected['event']}" if "event" in expected else ""
    parts = [f"{expected['status']}{at}"]
    if step := expected.get("step"):
        name = f"“{step['name']}”" if "name" in step else ""
        rest = (step.get("status"), step.get("code"))
        parts.append(" ".join(filter(None, ("step", name, *rest))))
    if "reason" in expected:
        parts.append(f"reason contains “{expected['reason']}”")
    if "alarm" in expected:
        parts.append(f"alarm {expected['alarm']}")
    if "rollback" in expected:
        parts.append(f"rollback {expected['rollback']}")
    return ", ".join(parts)


def _shares(deployment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How many requests each side served, as parts of a bar."""
    served_by = deployment["production_traffic"]["served_by"]
    total, shares, start = sum(served_by.values()), [], 0.0
    for who, number in served_by.items():
        length = 100 * number / total
        share = {"who": who, "number": number, "start": start, "length": length}
        shares.append({**share, "side": side(deployment, who)})
        start += length
    return shares


def _began(deployments: Iterable[Mapping[str, Any]]) -> str | None:
    starts = (e["started_at"] for each in deployments for e in each["lifecycle_events"])
    return min(filter(None, starts), default=None)


def _clock(moment: str) -> str:
    return datetime.fromisoformat(moment).strftime("%d %B %Y, %H:%M %Z")


def _plain(value: object) -> str:
    """A value of a finding's evidence as text."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
