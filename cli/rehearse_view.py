"""The live view of a rehearsal: events, steps and the traffic split."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from cli.ending import ending
from cli.scene import Scene
from cli.words import fault_lines
from rehearsal.cloudwatch.alarms import AlarmChanged
from rehearsal.cloudwatch.evaluation import AlarmState
from rehearsal.codedeploy.observation import Change
from rehearsal.hooks.log import Outcome
from rehearsal.record import ordered
from rehearsal.scenario.deployments import DeploymentFile
from rehearsal.scenario.scenario import Scenario


class RehearsalView:
    """Draws the deployment that runs; one that ended stays on the screen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._scene: Scene | None = None
        self._early: list[Change] = []
        self._number = self._of = 0
        self._waiting = "Starting the emulator …"
        self.live = Live(
            console=console,
            get_renderable=self._draw,
            refresh_per_second=8,
            transient=True,
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
            faults = fault_lines(ordered(deployment.faults))
            scene = Scene(deployment.name, deployment.image, deployment_id, faults)
            self._scene = scene
            for change in self._early:
                scene.deployments[change.deployment.id] = change.deployment
            self._early.clear()
        if not self._console.is_terminal:  # nothing else is printed until its end
            number = f"{self._number}/{self._of}"
            self._console.print(f"\n{number} {scene.name} …", style="dim", markup=False)

    def change(self, change: Change) -> None:
        """Show the newest state of a deployment."""
        with self._lock:
            if self._scene is None:
                self._early.append(change)
            else:
                self._scene.deployments[change.deployment.id] = change.deployment

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
            scene, self._scene = self._scene, None
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
