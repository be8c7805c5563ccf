"""How results look on a terminal: one mark, one color and one word for each status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table

from hookgate_cli.printable import Text, continued

#: With more steps than this, those that passed or wait are only counted.
_SHOWN = 100
_STYLE = {
    "passed": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "errored": ("!", "bold red"),
    "inconclusive": ("?", "yellow"),
    "skipped": ("-", "dim"),
    "running": ("…", "cyan"),
    "waiting": ("·", "dim"),
    "Succeeded": ("✓", "green"),
    "Failed": ("✗", "bold red"),
    "Stopped": ("■", "bold red"),
    "Skipped": ("-", "dim"),
    "InProgress": ("…", "cyan"),
    "Pending": ("·", "dim"),
}


def style(status: str) -> str:
    """The color of a status."""
    return _STYLE.get(status, ("·", ""))[1]


def mark(status: str) -> str:
    """The mark of a status."""
    return _STYLE.get(status, ("·", ""))[0]


def marked(status: str) -> Text:
    """The mark of a status, in its color."""
    return Text(mark(status), style=style(status))


def duration_text(milliseconds: float) -> str:
    """A duration in the unit that fits it."""
    seconds = milliseconds / 1000
    if seconds < 1:
        return f"{milliseconds:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def took(milliseconds: float) -> Text:
    """A duration for a column of a table."""
    return Text(duration_text(milliseconds), style="dim", justify="right")


def alarm_style(state: str) -> str:
    """The color of an alarm's state."""
    return {"ALARM": "bold red", "OK": "green"}.get(state, "yellow")


def outcomes_of(event: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The outcomes of the steps of a lifecycle event; none without a verdict."""
    return event["verdict"]["outcomes"] if event["verdict"] else ()


def waivers_of(record: Mapping[str, Any]) -> list[str]:
    """Every waiver that a deployment's verdicts list, each once."""
    waivers = {
        waiver
        for event in record["lifecycle_events"]
        for waiver in (event["verdict"] or {}).get("optouts", ())
    }
    return sorted(waivers)


def plan_text(plan: Mapping[str, Any]) -> str:
    """A plan's source, version and SHA-256 in one line."""
    version = f", version {plan['version']}" if plan["version"] else ""
    return f"{plan['source']}{version}, SHA-256 {plan['sha256']}"


def indented(text: RenderableType, style: str = "") -> RenderableType:
    """A paragraph with two spaces before each of its lines."""
    if isinstance(text, str):
        text = Text(continued(text), style)
    return Padding(text, (0, 0, 0, 2))


def plans_of(record: Mapping[str, Any]) -> list[str]:
    """Every plan that judged a deployment, each once; with its events if not all."""
    events: dict[str, list[str]] = {}
    for event in record["lifecycle_events"]:
        plan = (event["verdict"] or {}).get("plan")
        if plan:
            events.setdefault(plan_text(plan), []).append(event["name"])
    if len(events) == 1:
        return list(events)
    return [f"{plan} ({', '.join(names)})" for plan, names in events.items()]


def fault_lines(faults: Mapping[str, Any]) -> list[str]:
    """The faults that a scenario injects into a deployment, one a line."""
    return [f"{name}: {_listed(each)}" for name, each in faults.items()]


#: Keys of a fault that are left out, because their value is clear without them.
_SPOKEN = frozenset({"does", "call"})


def _listed(value: Any) -> str:
    """A value of a scenario without brackets."""
    if isinstance(value, Mapping):
        return ", ".join(
            _listed(each) if name in _SPOKEN else f"{name} {_listed(each)}"
            for name, each in value.items()
        )
    if isinstance(value, list):
        return "; ".join(_listed(each) for each in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def side(record: Mapping[str, Any], task_definition: str) -> str:
    """The side of a deployment that has a task definition: blue, green or unknown."""
    if task_definition == "unknown":
        return task_definition
    return "green" if task_definition == record["task_definition"] else "blue"


def result_table() -> Table:
    """A table of marks, names, durations and reasons."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def step_table(outcomes: list[Mapping[str, Any]]) -> Table:
    """Outcomes of steps, each with its reason.

    With many steps, those that passed or wait are only counted.
    """
    table = result_table()
    counted: Counter[str] = Counter()
    for outcome in outcomes:
        status = outcome["status"]
        if len(outcomes) > _SHOWN and status in {"passed", "waiting"}:
            counted[status] += 1
            continue
        name = Text(outcome["name"], style="" if outcome["blocking"] else "dim")
        table.add_row(
            marked(status), name, took(outcome["duration_ms"]), reason_text(outcome)
        )
    for status, count in counted.items():
        table.add_row(marked(status), Text(f"{count} steps {status}"))
    return table


def reason_text(outcome: Mapping[str, Any]) -> Text:
    """The reason of a step: on one line if it passed, in full if it did not."""
    if outcome["status"] == "passed":
        return Text(outcome["reason"], style="dim", no_wrap=True, overflow="ellipsis")
    return Text(outcome["reason"], style=style(outcome["status"]))


def verdict_lines(record: Mapping[str, Any]) -> list[RenderableType]:
    """The end of a verdict: its status, its plan, and every waiver that was used."""
    status = record["status"]
    head = Text.assemble(
        marked(status),
        " ",
        (f"{record['event']}: {status}", style(status)),
        (f"  {record['duration_ms'] / 1000:.1f} s", "dim"),
    )
    if not any(e["blocking"] and e["status"] != "skipped" for e in record["outcomes"]):
        head.append("\n  no blocking step ran", style=style(status))
    plans = [plan_text(record["plan"])] if record["plan"] else []
    return [head, *plans_and_waivers(plans, record["optouts"])]


def plans_and_waivers(
    plans: Iterable[str], waivers: Iterable[str]
) -> list[RenderableType]:
    """The plans that were used and the waivers that applied, one a line."""
    return [
        *(indented(f"plan: {each}", "dim") for each in plans),
        *(indented(f"waiver: {each}", "yellow") for each in waivers),
    ]
