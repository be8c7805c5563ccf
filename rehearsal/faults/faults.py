"""All faults of a stage: ordered for a version, in force while it is deployed."""

from __future__ import annotations

import threading

from rehearsal.codedeploy.observation import Change, EventStarted, StatusChanged
from rehearsal.data_plane import Certificate
from rehearsal.faults.armed import Armed, armed
from rehearsal.faults.calls import CallFault
from rehearsal.faults.file import FaultsFile, HookFile, StaleListenerFile, StopFile


class Faults:
    """Knows what is ordered, and for which deployments it is in force.

    Faults of tasks belong to the version and stay with it. All others are in force
    from the creation of the deployment to its end; a rollback meets none.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ordered: dict[str, FaultsFile] = {}
        self._certificates: dict[str, Certificate | None] = {}
        self._armed: dict[str, Armed] = {}

    def order(
        self,
        task_definition: str,
        faults: FaultsFile,
        certificate: Certificate | None = None,
    ) -> None:
        """Let faults befall the deployments of a version.

        Args:
            task_definition: the version's ARN, as its AppSpec names it.
            faults: what goes wrong.
            certificate: what ``faults.certificate`` names.
        """
        with self._lock:
            self._ordered[task_definition] = faults
            self._certificates[task_definition] = certificate

    def of_version(self, task_definition: str) -> FaultsFile | None:
        """What is ordered for a version's tasks."""
        with self._lock:
            return self._ordered.get(task_definition)

    def on_change(self, change: Change) -> StopFile | None:
        """Take note of a deployment's change.

        Returns:
            The stop that is now due, if one was ordered for it.
        """
        deployment = change.deployment
        with self._lock:
            if isinstance(change, StatusChanged):
                self._take_note(change)
                return None
            now = self._armed.get(deployment.id)
        stop = now.ordered.stop if now else None
        if stop is None or not isinstance(change, EventStarted):
            return None
        return stop if stop.at == change.event.name else None

    def stale_listener(self, listener: str) -> StaleListenerFile | None:
        """What is ordered for a change of a listener now."""
        with self._lock:
            for each in self._armed.values():
                if each.test_listener == listener:
                    return each.ordered.stale_test_listener
        return None

    def certificate(self, listener: str) -> Certificate | None:
        """What a listener presents now in the place of its own certificate."""
        with self._lock:
            for each in self._armed.values():
                if each.test_listener == listener:
                    return each.certificate
        return None

    def hook(self, deployment_id: str, function: str) -> HookFile | None:
        """What is ordered for a deployment's call of a function."""
        with self._lock:
            now = self._armed.get(deployment_id)
        return now.hooks.get(function) if now else None

    def calls(self) -> tuple[CallFault, ...]:
        """The faults of calls that are in force."""
        with self._lock:
            return tuple(call for each in self._armed.values() for call in each.calls)

    def _take_note(self, change: StatusChanged) -> None:
        deployment = change.deployment
        version = deployment.order.app_spec.task_definition
        ordered, certificate = (
            self._ordered.get(version),
            self._certificates.get(version),
        )
        if deployment.is_over:
            self._armed.pop(deployment.id, None)
            return
        is_new = deployment.id not in self._armed
        if ordered and is_new and deployment.order.rollback_of is None:
            self._armed[deployment.id] = armed(deployment, ordered, certificate)
