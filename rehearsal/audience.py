"""Whoever watches a rehearsal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from rehearsal.cloudwatch.alarms import AlarmChanged
from rehearsal.codedeploy.observation import Change
from rehearsal.hooks.log import Outcome
from rehearsal.scenario.deployments import DeploymentFile
from rehearsal.scenario.scenario import Scenario


class Audience(Protocol):
    """Whoever watches; called from many threads, and must be quick."""

    def ready(self, scenario: Scenario, endpoint_url: str) -> None:
        """The setting stands and the first version serves customers."""
        ...

    def begins(self, deployment: DeploymentFile, deployment_id: str) -> None:
        """A deployment has been created."""
        ...

    def change(self, change: Change) -> None:
        """A deployment, an event or the traffic has changed."""
        ...

    def outcome(self, deployment_id: str, event: str, outcome: Outcome) -> None:
        """A step of a hook has ended."""
        ...

    def alarm(self, change: AlarmChanged) -> None:
        """An alarm has changed its state."""
        ...

    def ended(self, deployment: DeploymentFile, record: Mapping[str, Any]) -> None:
        """A deployment and its rollback have come to their end."""
        ...


class SilentAudience:
    """Watches and says nothing: for those who watch by other means."""

    def ready(self, scenario: Scenario, endpoint_url: str) -> None:
        """Take note of the stage."""

    def begins(self, deployment: DeploymentFile, deployment_id: str) -> None:
        """Take note of a deployment."""

    def change(self, change: Change) -> None:
        """Take note of a change."""

    def outcome(self, deployment_id: str, event: str, outcome: Outcome) -> None:
        """Take note of a step."""

    def alarm(self, change: AlarmChanged) -> None:
        """Take note of an alarm."""

    def ended(self, deployment: DeploymentFile, record: Mapping[str, Any]) -> None:
        """Take note of an end."""
