"""One deployment of a rehearsal and its rollback, as the terminal shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.ending import alarm_line
from cli.words import marked, reason_text, style, took
from rehearsal.codedeploy.model.deployment import Deployment, Event
from rehearsal.codedeploy.model.vocabulary import EventStatus
from rehearsal.hooks.log import Outcome

_BAR = 24


@dataclass(slots=True)
class Scene:
    """One deployment and its rollback, up to now."""

    name: str
    image: str
    id: str
    faults: list[str] = field(default_factory=list)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    outcomes: dict[str, dict[str, Outcome]] = field(default_factory=dict)
    alarms: dict[str, str] = field(default_factory=dict)

    def take(self, event: str, outcome: Outcome) -> None:
        """Add the outcome of a step; the last one, if a hook runs twice."""
        self.outcomes.setdefault(event, {})[outcome["name"]] = outcome

    def complete(self, record: Mapping[str, Any]) -> None:
        """Add outcomes that only the verdicts have, such as the fallback report's."""
        for event in record["lifecycle_events"]:
            known = self.outcomes.get(event["name"], {})
            for outcome in (event["verdict"] or {}).get("outcomes", ()):
                if outcome["name"] not in known:
                    self.take(event["name"], outcome)

    def drawn(self, number: str, *more: RenderableType) -> RenderableType:
        """The deployment as the terminal shows it.

        Args:
            number: Its number and the total, such as ``1/3``.
            more: How it ended; then traffic and alarms, which still change, are left
                out.
        """
        main = self.deployments.get(self.id)
        status = str(main.status) if main else "Created"
        head = Text.assemble(
            "\n",
            (f"{number} {self.name}", "bold"),
            f"  {self.image}  ",
            (self.id, "dim"),
            "  ",
            (status, style(status)),
        )
        rows: list[RenderableType] = [head]
        rows += [
            Padding(Text(f"injected fault  {each}", style="yellow"), (0, 0, 0, 2))
            for each in self.faults
        ]
        if main is not None:
            rows.append(_events(main, self.outcomes))
        rows += [
            _rollback(each) for id_, each in self.deployments.items() if id_ != self.id
        ]
        if main is not None and not more:
            rows.append(_split(list(self.deployments.values())[-1]))
            rows += [alarm_line(each) for each in self.alarms.items()]
        return Group(*rows, *more)


def _events(
    deployment: Deployment, outcomes: Mapping[str, Mapping[str, Outcome]]
) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for event in deployment.events:
        waits = event.status in {EventStatus.PENDING, EventStatus.SKIPPED}
        name = Text(str(event.name), style="dim" if waits else "")
        # A hook's message only repeats what its steps say.
        told = "" if event.name.is_hook else event.message
        table.add_row(
            marked(str(event.status)), name, _took(event), Text(told, style="bold red")
        )
        for outcome in outcomes.get(str(event.name), {}).values():
            step = Text.assemble("  ", marked(outcome["status"]), " ", outcome["name"])
            table.add_row("", step, took(outcome["duration_ms"]), reason_text(outcome))
    return table


def _took(event: Event) -> Text:
    if event.started_at is None or event.ended_at is None:
        return Text("")
    if event.status is EventStatus.SKIPPED:
        return Text("")
    return took((event.ended_at - event.started_at) * 1000)


def _rollback(deployment: Deployment) -> Text:
    status = str(deployment.status)
    return Text.assemble(
        marked(status),
        " rollback ",
        (deployment.id, "dim"),
        "  ",
        (status, style(status)),
    )


def _split(deployment: Deployment) -> Text:
    """The split of production traffic now."""
    green = deployment.green.weight if deployment.green is not None else 0.0
    filled = round(_BAR * green / 100)
    return Text.assemble(
        "  production  blue ",
        ("█" * (_BAR - filled), "blue"),
        ("░" * filled, "green"),
        f" green  {100 - green:.0f} : {green:.0f}",
    )
