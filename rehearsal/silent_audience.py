"""An audience for those who watch by other means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.codedeploy.observation import Change
from rehearsal.hook_log import Outcome
from rehearsal.scenario import DeploymentFile, Scenario


class SilentAudience:
    """Watches and says nothing."""

    def ready(self, scenario: Scenario, endpoint_url: str) -> None:
        """Take note of the stage."""

    def begins(self, deployment: DeploymentFile, deployment_id: str) -> None:
        """Take note of a deployment."""

    def change(self, change: Change) -> None:
        """Take note of a change."""

    def outcome(self, deployment_id: str, event: str, outcome: Outcome) -> None:
        """Take note of a step."""

    def ended(self, deployment: DeploymentFile, record: Mapping[str, Any]) -> None:
        """Take note of an end."""
