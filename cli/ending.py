"""How a deployment ended, and why, as the terminal shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from cli.words import plan_line, plans_of, side, waivers_of
from hookgate.model import LifecycleEvent


def alarm_line(named: tuple[str, str]) -> RenderableType:
    """An alarm that is in ALARM, and its reason."""
    name, reason = named
    line = Text.assemble(("alarm ", "dim"), (name, "bold red"), f"  {reason}")
    return Padding(line, (0, 0, 0, 2))


def ending(record: Mapping[str, Any]) -> RenderableType:
    """How a deployment ended, and whether the scenario expects it."""
    traffic = record["production_traffic"]
    served = ", ".join(
        f"{n} by {side(record, who)}" for who, n in traffic["served_by"].items()
    )
    lines: list[RenderableType] = [
        Text(
            f"  production: {traffic['requests']} requests, {traffic['failed']} failed"
            + (f" ({served})" if served else ""),
            style="dim",
        )
    ]
    if _is_unexplained(record):
        why = Text(record["error"]["message"], style="bold red")
        lines.append(Padding(why, (0, 0, 0, 2)))
    lines += [alarm_line((each["name"], each["reason"])) for each in record["alarms"]]
    lines += [plan_line(plan) for plan in plans_of(record)]
    lines += [Text(f"  waiver: {each}", style="yellow") for each in waivers_of(record)]
    if record["as_expected"]:
        lines.append(Text(f"  {record['status']}, as expected", style="green"))
    if record["interrupted"]:
        lines.append(Text(f"  {record['status']}, interrupted", style="yellow"))
    else:
        lines += [
            Padding(Text(f"not as expected: {each}", style="bold red"), (0, 0, 0, 2))
            for each in record["surprises"]
        ]
    return Group(*lines)


def _is_unexplained(record: Mapping[str, Any]) -> bool:
    """Whether no step, event or alarm explains why a deployment failed.

    A hook that never reported has no steps, and a stopped one has no message.
    """
    if record["error"] is None or record["alarms"]:
        return False
    hooks = {str(each) for each in LifecycleEvent}
    failed = [e for e in record["lifecycle_events"] if e["status"] == "Failed"]
    return all(
        event["name"] in hooks
        and all(
            each["status"] == "passed"
            for each in (event["verdict"] or {}).get("outcomes", ())
        )
        for event in failed
    )
