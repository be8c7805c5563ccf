"""What happens on a standing stage, a line each."""

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
    """An audience that writes down what other people's clients set off."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def ready(self, scenario: Scenario, endpoint_url: str) -> None:
        """Nothing: the commands to type say it."""

    def begins(self, deployment: DeploymentFile, deployment_id: str) -> None:
        """Nothing: the status says it."""

    def change(self, change: Change) -> None:
        """Write a deployment's status, or an event that has ended."""
        id_ = change.deployment.id
        if isinstance(change, StatusChanged):
            self._write(id_, str(change.deployment.status), "")
        elif isinstance(change, EventEnded):
            event = change.event
            if event.status is not EventStatus.SKIPPED:
                told = "" if event.name.is_hook else event.message
                self._write(id_, str(event.status), f"{event.name}  {told}")

    def outcome(self, deployment_id: str, event: str, outcome: Outcome) -> None:
        """Write a step that has ended."""
        status = outcome["status"]
        why = "" if status == "passed" else f": {outcome['reason']}"
        self._write(deployment_id, status, f"{event}: {outcome['name']}{why}")

    def alarm(self, change: AlarmChanged) -> None:
        """Write an alarm's new state."""
        alarm = change.alarm
        line = Text.assemble(
            ("alarm      ", "dim"),
            f"  {alarm.name}: {change.before} -> ",
            (str(alarm.state), alarm_style(alarm.state)),
            f"  {alarm.reason}",
        )
        self._console.print(line, soft_wrap=True)

    def ended(self, deployment: DeploymentFile, record: Mapping[str, Any]) -> None:
        """Nothing: nobody plays here."""

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
