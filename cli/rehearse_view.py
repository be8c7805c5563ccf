"""The rehearsal as a person watches it: events, steps and the traffic's split, live."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.words import marked, notes_of, reason_text, style, took
from rehearsal.cloudwatch.alarms import AlarmChanged
from rehearsal.cloudwatch.evaluation import AlarmState
from rehearsal.codedeploy.model.deployment import Deployment, Event
from rehearsal.codedeploy.model.vocabulary import EventStatus
from rehearsal.codedeploy.observation import Change
from rehearsal.hook_log import Outcome
from rehearsal.scenario.deployments import DeploymentFile
from rehearsal.scenario.scenario import Scenario

_BAR = 24


@dataclass(slots=True)
class _Scene:
    """One deployment and its rollback, as far as they have come."""

    name: str
    image: str
    id: str
    deployments: dict[str, Deployment] = field(default_factory=dict)
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    alarms: dict[str, str] = field(default_factory=dict)


class RehearsalView:
    """An audience that draws; a deployment that has ended is left on the screen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._scene: _Scene | None = None
        self._early: list[Change] = []
        self._number = self._of = 0
        self._said = Text("setting the stage …", style="dim")
        self.live = Live(
            console=console,
            get_renderable=self._draw,
            refresh_per_second=8,
            transient=True,
        )

    def ready(self, scenario: Scenario, endpoint_url: str) -> None:
        """Say where the stage is."""
        content = scenario.content
        self._of = len(content.deployments)
        group = content.deployment_group
        self._console.print(
            Text.assemble(
                (f"{group.application}/{group.name}", "bold"),
                f"  {content.starts_with} serves {content.traffic.rate:g} customers/s",
                (f"  {endpoint_url}", "dim"),
            )
        )

    def begins(self, deployment: DeploymentFile, deployment_id: str) -> None:
        """Open a scene."""
        with self._lock:
            self._number += 1
            scene = _Scene(deployment.name, deployment.image, deployment_id)
            self._scene = scene
            for change in self._early:
                scene.deployments[change.deployment.id] = change.deployment
            self._early.clear()

    def change(self, change: Change) -> None:
        """Take the newest state of a deployment."""
        with self._lock:
            if self._scene is None:
                self._early.append(change)
            else:
                self._scene.deployments[change.deployment.id] = change.deployment

    def outcome(self, deployment_id: str, event: str, outcome: Outcome) -> None:
        """Take a step that has ended."""
        with self._lock:
            if self._scene is not None and deployment_id == self._scene.id:
                self._scene.outcomes.setdefault(event, []).append(outcome)

    def alarm(self, change: AlarmChanged) -> None:
        """Show an alarm that has gone off, until it is well again."""
        with self._lock:
            if self._scene is None:
                return
            if change.alarm.state is AlarmState.ALARM:
                self._scene.alarms[change.alarm.name] = change.alarm.reason
            else:
                self._scene.alarms.pop(change.alarm.name, None)

    def ended(self, deployment: DeploymentFile, record: Mapping[str, Any]) -> None:
        """Close the scene and leave it on the screen."""
        del deployment
        with self._lock:
            scene, self._scene = self._scene, None
            self._said = Text("…", style="dim")
        if scene is not None:
            self._console.print(self._drawn(scene, ending(record)))

    def _draw(self) -> RenderableType:
        with self._lock:
            return self._said if self._scene is None else self._drawn(self._scene)

    def _drawn(self, scene: _Scene, *more: RenderableType) -> RenderableType:
        main = scene.deployments.get(scene.id)
        status = str(main.status) if main else "Created"
        head = Text.assemble(
            "\n",
            (f"{self._number}/{self._of} {scene.name}", "bold"),
            f"  {scene.image}  ",
            (scene.id, "dim"),
            "  ",
            (status, style(status)),
        )
        rows: list[RenderableType] = [head]
        if main is not None:
            rows.append(_events(main, scene.outcomes))
        rows += [
            _rollback(each)
            for id_, each in scene.deployments.items()
            if id_ != scene.id
        ]
        if main is not None and not more:
            rows.append(_split(list(scene.deployments.values())[-1]))
            rows += [_alarm(each) for each in scene.alarms.items()]
        return Group(*rows, *more)


def _events(deployment: Deployment, outcomes: Mapping[str, list[Outcome]]) -> Table:
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
        for outcome in outcomes.get(str(event.name), ()):
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


def _alarm(named: tuple[str, str]) -> RenderableType:
    name, reason = named
    line = Text.assemble(("alarm ", "dim"), (name, "bold red"), f"  {reason}")
    return Padding(line, (0, 0, 0, 2))


def _split(deployment: Deployment) -> Text:
    """Where production traffic goes now."""
    green = deployment.green.weight if deployment.green is not None else 0.0
    filled = round(_BAR * green / 100)
    return Text.assemble(
        "  production  blue ",
        ("█" * (_BAR - filled), "blue"),
        ("░" * filled, "green"),
        f" green  {100 - green:.0f} : {green:.0f}",
    )


def ending(record: Mapping[str, Any]) -> RenderableType:
    """How a deployment ended, and whether that is what the scenario says."""
    traffic = record["production_traffic"]
    served = ", ".join(f"{n} by {who}" for who, n in traffic["served_by"].items())
    lines: list[RenderableType] = [
        Text(
            f"  customers: {traffic['requests']} requests, {traffic['failed']} failed"
            f" ({served})",
            style="dim",
        )
    ]
    lines += [_alarm((each["name"], each["reason"])) for each in record["alarms"]]
    lines += [Text(f"  note: {note}", style="yellow") for note in notes_of(record)]
    if record["as_expected"]:
        lines.append(Text(f"  {record['status']}, as expected", style="green"))
    lines += [
        Padding(Text(f"not as expected: {each}", style="bold red"), (0, 0, 0, 2))
        for each in record["surprises"]
    ]
    return Group(*lines)
