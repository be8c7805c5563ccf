"""``hookgate rehearse``: run scenarios, and check how every deployment ended."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table

from hookgate.model import LifecycleEvent
from hookgate_cli.output import (
    FILE,
    INPUT,
    INTERRUPTED,
    Console,
    ExitCode,
    console_for,
    echo,
    write_json,
    write_text,
)
from hookgate_cli.printable import Text, continued
from hookgate_cli.words import (
    fault_lines,
    indented,
    marked,
    outcomes_of,
    plans_and_waivers,
    plans_of,
    reason_text,
    result_table,
    side,
    style,
    took,
    waivers_of,
)
from hookgate_rehearsal.building import RehearsalError
from hookgate_rehearsal.cloudwatch.alarm import AlarmState
from hookgate_rehearsal.cloudwatch.alarms import AlarmChanged
from hookgate_rehearsal.codedeploy.engine import Change
from hookgate_rehearsal.codedeploy.model.deployment import (
    Deployment,
    Event,
    EventStatus,
)
from hookgate_rehearsal.hooks import APPLICATION, Outcome
from hookgate_rehearsal.record import configured_faults, rehearsal_record
from hookgate_rehearsal.rehearse import Rehearsal, RehearsalObserver
from hookgate_rehearsal.scenario.reader import Scenario, read_scenario
from hookgate_rehearsal.scenario.schema import DeploymentFile


def alarm_line(name: str, reason: str) -> RenderableType:
    """An alarm that is in ALARM, and its reason."""
    line = Text.assemble(
        ("alarm ", "dim"), (name, "bold red"), f"  {continued(reason)}"
    )
    return indented(line)


def ending(record: Mapping[str, Any]) -> RenderableType:
    """How a deployment ended, and whether the scenario expects it."""
    traffic = record["production_traffic"]
    served = ", ".join(
        f"{n} by {side(record, who)}" for who, n in traffic["served_by"].items()
    )
    requests = f"{traffic['requests']} requests, {traffic['failed']} failed"
    requests += f" ({served})" if served else ""
    lines = [indented(f"production: {requests}", "dim")]
    if _is_unexplained(record):
        lines.append(indented(record["error"]["message"], "bold red"))
    lines += [alarm_line(each["name"], each["reason"]) for each in record["alarms"]]
    lines += plans_and_waivers(plans_of(record), waivers_of(record))
    if record["as_expected"]:
        lines.append(indented(f"{record['status']}, as expected", "green"))
    if record["interrupted"]:
        lines.append(indented(f"{record['status']}, interrupted", "yellow"))
    else:
        lines += [
            indented(f"not as expected: {each}", "bold red")
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
        and all(each["status"] == "passed" for each in outcomes_of(event))
        for event in failed
    )


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
            for outcome in outcomes_of(event):
                if outcome["name"] not in known:
                    self.take(event["name"], outcome)

    def drawn(self, number: str, *more: RenderableType) -> RenderableType:
        """The deployment as the terminal shows it.

        Args:
            number: Its number and the total, such as ``1/3``.
            more: How it ended; with it, traffic and alarms are left out.
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
        rows += [indented(f"injected fault  {each}", "yellow") for each in self.faults]
        if main is not None:
            rows.append(_events(main, self.outcomes))
        rows += [
            _rollback(each) for id_, each in self.deployments.items() if id_ != self.id
        ]
        if main is not None and not more:
            rows.append(_split(list(self.deployments.values())[-1]))
            rows += [alarm_line(*each) for each in self.alarms.items()]
        return Group(*rows, *more)


def _events(
    deployment: Deployment, outcomes: Mapping[str, Mapping[str, Outcome]]
) -> Table:
    table = result_table()
    for event in deployment.events:
        waits = event.status in {EventStatus.PENDING, EventStatus.SKIPPED}
        name = Text(str(event.name), style="dim" if waits else "")
        # A hook's message only repeats what its steps say.
        message = "" if event.name.is_hook else event.message
        table.add_row(
            marked(str(event.status)),
            name,
            _took(event),
            Text(message, style="bold red"),
        )
        for outcome in outcomes.get(str(event.name), {}).values():
            step = Text.assemble("  ", marked(outcome["status"]), " ", outcome["name"])
            table.add_row("", step, took(outcome["duration_ms"]), reason_text(outcome))
    return table


def _took(event: Event) -> Text:
    skipped = event.status is EventStatus.SKIPPED
    if event.started_at is None or event.ended_at is None or skipped:
        return Text("")
    return took((event.ended_at - event.started_at) * 1000)


def _rollback(deployment: Deployment) -> RenderableType:
    status = str(deployment.status)
    return Text.assemble(
        marked(status),
        " rollback ",
        (deployment.id, "dim"),
        "  ",
        (status, style(status)),
    )


def _split(deployment: Deployment) -> RenderableType:
    """The split of production traffic now."""
    green = deployment.green.weight if deployment.green is not None else 0.0
    filled = round(_BAR * green / 100)
    return Text.assemble(
        "  production  blue ",
        ("█" * (_BAR - filled), "blue"),
        ("░" * filled, "green"),
        f" green  {100 - green:.0f} : {green:.0f}",
    )


class RehearsalView(RehearsalObserver):
    """Draws the deployment that runs; one that ended stays on the screen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._scene: Scene | None = None
        self._deployments: dict[str, Deployment] = {}
        self._number = self._of = 0
        self._waiting = "Starting the emulator …"
        self.live = Live(
            console=console,
            get_renderable=self._draw,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,  # it would read the colors of what others print
            redirect_stderr=False,
        )

    def ready(self, scenario: Scenario, endpoint_url: str) -> None:
        """Print the first version and the emulator's endpoint."""
        content = scenario.content
        self._of = len(content.deployments)
        group = content.deployment_group
        self._console.print(
            Text.assemble(
                (f"{group.application}/{group.name}", "bold"),
                f"  {content.starts_with} serves production traffic, ",
                f"{content.traffic.rate:g} requests/s",
                (f"\nLocal AWS endpoint: {endpoint_url}", "dim"),
            )
        )

    def begins(self, deployment: DeploymentFile, deployment_id: str) -> None:
        """Show a new deployment."""
        with self._lock:
            self._number += 1
            faults = fault_lines(configured_faults(deployment.faults))
            scene = Scene(
                deployment.name,
                deployment.image,
                deployment_id,
                faults,
                self._deployments,
            )
            self._scene = scene
        if not self._console.is_terminal:  # nothing else is printed until its end
            number = f"{self._number}/{self._of}"
            self._console.print(f"\n{number} {scene.name} …", style="dim")

    def change(self, change: Change) -> None:
        """Show the newest state of a deployment."""
        with self._lock:
            self._deployments[change.deployment.id] = change.deployment

    def outcome(self, deployment_id: str, event: str, outcome: Outcome) -> None:
        """Add the outcome of a step."""
        with self._lock:
            if self._scene is not None and deployment_id == self._scene.id:
                self._scene.take(event, outcome)

    def alarm(self, change: AlarmChanged) -> None:
        """Show an alarm while it is in ALARM."""
        with self._lock:
            if self._scene is None:
                return
            if change.alarm.state is AlarmState.ALARM:
                self._scene.alarms[change.alarm.name] = change.alarm.reason
            else:
                self._scene.alarms.pop(change.alarm.name, None)

    def ended(self, deployment: DeploymentFile, record: Mapping[str, Any]) -> None:
        """Print the deployment as it ended, so that it stays on the screen."""
        del deployment
        with self._lock:
            scene, self._scene, self._deployments = self._scene, None, {}
            interrupted = record["interrupted"]
            self._waiting = "Stopping the emulator …" if interrupted else "…"
        if scene is not None:
            scene.complete(record)
            self._console.print(self._drawn(scene, ending(record)))

    def _draw(self) -> RenderableType:
        with self._lock:
            if self._scene is None:
                return Text(self._waiting, style="dim")
            return self._drawn(self._scene)

    def _drawn(self, scene: Scene, *more: RenderableType) -> RenderableType:
        return scene.drawn(f"{self._number}/{self._of}", *more)


#: As the scenario's own ``speed``.
SPEED = click.FloatRange(1, 1000)
#: The bundled example: a good version goes live, a bad one is rolled back.
EXAMPLE = APPLICATION / "examples" / "storefront" / "scenario.yaml"


@click.command("rehearse")
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...", type=INPUT)
@click.option("--speed", type=SPEED, help="Speed up AWS wait times by this factor.")
@click.option("--only", help="Run only the deployments whose name contains this text.")
@click.option(
    "--json", "json_file", type=FILE, help="Write the record; - for standard output."
)
@click.option("--junit", "junit_file", type=FILE, help="Write JUnit XML.")
@click.option("--html", "html_file", type=FILE, help="Write an HTML page.")
def command(  # noqa: PLR0913, PLR0917 - click passes each option by name
    scenarios: tuple[Path, ...],
    speed: float | None,
    only: str | None,
    json_file: str | None,
    junit_file: str | None,
    html_file: str | None,
) -> NoReturn:
    """Run blue/green deployments on this machine, with the shipped hooks.

    Without SCENARIO, the bundled storefront runs. After Ctrl-C, the files contain the
    partial results.

    Exit codes: 0 every deployment ended as its scenario expects, 1 one did not, 2
    invalid input, 3 could not decide, or interrupted.
    """
    console = console_for((json_file, junit_file, html_file))
    read = [read_scenario(each).at(speed) for each in scenarios or (EXAMPLE,)]

    def selected(deployment: DeploymentFile) -> bool:
        return only is None or only in deployment.name

    deployments = (each for scenario in read for each in scenario.content.deployments)
    names = [each.name for each in deployments if selected(each)]
    if not names:
        raise click.UsageError(f"no deployment's name contains {only!r}")
    records: list[dict[str, Any]] = []
    interrupted = False
    try:
        for scenario in read:
            view = RehearsalView(console)
            rehearsal = Rehearsal(scenario=scenario, observer=view, records=records)
            with view.live:
                rehearsal.run(selected)
    except RehearsalError as error:
        echo(continued(str(error)), err=True)
        raise click.exceptions.Exit(ExitCode.COULD_NOT_DECIDE) from None
    except KeyboardInterrupt:
        interrupted = True
    if records:
        console.print(_summary(records))
    record = rehearsal_record(
        records, interrupted=interrupted, not_run=names[len(records) :]
    )
    _write(record, json_file, junit_file, html_file)
    if interrupted:
        echo(INTERRUPTED, err=True)
        raise click.exceptions.Exit(ExitCode.COULD_NOT_DECIDE)
    as_expected = all(each["as_expected"] for each in records)
    raise click.exceptions.Exit(ExitCode.PASSED if as_expected else ExitCode.FAILED)


def _summary(records: list[dict[str, Any]]) -> Table:
    table = Table(
        box=None, padding=(0, 2, 0, 0), title="\nsummary", title_justify="left"
    )
    for column in ("", "deployment", "status", "rollback", "requests", "failed"):
        table.add_column(column, header_style="dim")
    for each in records:
        rollback = each["rollback"]["status"] if each["rollback"] else ""
        traffic = each["production_traffic"]
        ended = "passed" if each["as_expected"] else "failed"
        table.add_row(
            marked("inconclusive" if each["interrupted"] else ended),
            each["name"],
            each["status"],
            rollback,
            str(traffic["requests"]),
            str(traffic["failed"]),
        )
    good = sum(each["as_expected"] for each in records)
    table.caption = Text(f"{good} of {len(records)} ended as expected")
    table.caption_justify = "left"
    return table


def _write(
    record: Mapping[str, Any],
    json_file: str | None,
    junit_file: str | None,
    html_file: str | None,
) -> None:
    write_json(record, json_file)
    if junit_file is not None:
        from hookgate_cli.junit import of_rehearsal  # noqa: PLC0415 - few runs ask for it

        write_text(of_rehearsal(record), junit_file)
    if html_file is not None:
        from hookgate_cli.page import page_of  # noqa: PLC0415 - as above

        write_text(page_of(record), html_file)
