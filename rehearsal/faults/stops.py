"""Somebody who calls StopDeployment at a moment that was ordered."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from rehearsal.codedeploy.observation import Change
from rehearsal.faults.faults import Faults
from rehearsal.faults.file import StopFile

_LOGGER = logging.getLogger(__name__)


class Stops:
    """Watches deployments and stops those for which that is ordered.

    Args:
        faults: what is ordered; is told of every change.
        codedeploy: makes a boto3 client of the stage.
    """

    def __init__(self, faults: Faults, codedeploy: Callable[[], Any]) -> None:
        self._faults = faults
        self._codedeploy = codedeploy
        self._timers: list[threading.Timer] = []

    def on_change(self, change: Change) -> None:
        """Take note of a change, and have the deployment stopped in time."""
        ordered = self._faults.on_change(change)
        if ordered is None:
            return
        arguments = (change.deployment.id, ordered)
        timer = threading.Timer(ordered.after, self._stop, arguments)
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    def close(self) -> None:
        """Stop nothing any more."""
        for timer in self._timers:
            timer.cancel()
            timer.join()

    def _stop(self, deployment_id: str, ordered: StopFile) -> None:
        more = (
            {}
            if ordered.rollback is None
            else {"autoRollbackEnabled": ordered.rollback}
        )
        try:
            self._codedeploy().stop_deployment(deploymentId=deployment_id, **more)
        except Exception:
            _LOGGER.exception("%s could not be stopped as ordered", deployment_id)
