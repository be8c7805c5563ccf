"""The log of ``hookgate serve``: a line for each event of the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from cli.words import alarm_style, marked, style
from rehearsal.cloudwatch.alarms import AlarmChanged
from rehearsal.codedeploy.model.vocabulary import EventStatus
from rehearsal.codedeploy.observation import Change, EventEnded, StatusChanged
from rehearsal.hooks.log import Outcome
from rehearsal.scenario.deployments import DeploymentFile
from rehearsal.scenario.scenario import Scenario


class ServeLog:
    """Writes a line for each change that a client's deployment makes."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def ready(self, scenario: Scenario, endpoint_url: str) -> None:
        """Nothing: the command prints the endpoint itself."""

    def begins(self, deployment: DeploymentFile, deployment_id: str) -> None:
        """Nothing: the change of status is logged."""

    def change(self, change: Change) -> None:
        """Log a deployment's status, or an event that ended."""
        id_ = change.deployment.id
        if isinstance(change, StatusChanged):
            self._write(id_, str(change.deployment.status), "")
        elif isinstance(change, EventEnded):
            event = change.event
            if event.status is not EventStatus.SKIPPED:
                told = "" if event.name.is_hook else event.message
                self._write(id_, str(event.status), f"{event.name}  {told}")

    def outcome(self, deployment_id: str, event: str, outcome: Outcome) -> None:
        """Log the outcome of a step."""
        status = outcome["status"]
        why = "" if status == "passed" else f": {outcome['reason']}"
        self._write(deployment_id, status, f"{event}: {outcome['name']}{why}")

    def alarm(self, change: AlarmChanged) -> None:
        """Log the new state of an alarm."""
        alarm = change.alarm
        line = Text.assemble(
            ("alarm      ", "dim"),
            f"  {alarm.name}: {change.before} -> ",
            (str(alarm.state), alarm_style(alarm.state)),
            f"  {alarm.reason}",
        )
        self._console.print(line, soft_wrap=True)

    def ended(self, deployment: DeploymentFile, record: Mapping[str, Any]) -> None:
        """Nothing: no deployments of a scenario run here."""

    def _write(self, deployment_id: str, status: str, said: str) -> None:
        line = Text.assemble(
            (deployment_id, "dim"),
            "  ",
            marked(status),
            " ",
            (status, style(status)),
            f"  {said.rstrip()}",
        )
        self._console.print(line, soft_wrap=True)
