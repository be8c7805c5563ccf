"""All faults of an emulator: ordered for a version, in force while it is deployed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.codedeploy.model.deployment import Deployment
from rehearsal.codedeploy.observation import Change, EventStarted, StatusChanged
from rehearsal.data_plane import Certificate
from rehearsal.faults.calls import CallFault
from rehearsal.faults.schema import (
    CallFile,
    FaultsFile,
    HookFile,
    StaleListenerFile,
    StopFile,
)
from rehearsal.functions.function import function_name

_REPORT = "codedeploy:PutLifecycleEventHookExecutionStatus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Armed:
    """What is ordered, by whom it strikes on this deployment."""

    ordered: FaultsFile
    certificate: Certificate | None
    test_listener: str | None
    hooks: Mapping[str, HookFile]
    calls: tuple[CallFault, ...]


def armed(
    deployment: Deployment, ordered: FaultsFile, certificate: Certificate | None
) -> Armed:
    """Find out whom the faults strike on a deployment.

    Args:
        deployment: its AppSpec says which functions are called at which event.
        ordered: the faults.
        certificate: what the test listener presents, where that is among them.
    """
    functions = {
        str(event): function_name(function)
        for event, function in deployment.order.app_spec.hooks.items()
    }
    hooks = {
        functions[event]: fault
        for event, fault in ordered.hooks
        if fault is not None and event in functions
    }
    denied = [
        CallFault(ordered=CallFile(call=_REPORT, gets="denied"), function=name)
        for name, fault in hooks.items()
        if fault.does == "is_not_permitted"
    ]
    return Armed(
        ordered=ordered,
        certificate=certificate,
        test_listener=deployment.order.routes.test,
        hooks=hooks,
        calls=(*denied, *(CallFault(ordered=each) for each in ordered.calls)),
    )


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

    def add(
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


_LOGGER = logging.getLogger(__name__)


class Stops:
    """Watches deployments and stops those for which that is ordered.

    Args:
        faults: what is ordered; is told of every change.
        codedeploy: makes a boto3 client of the emulator.
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
