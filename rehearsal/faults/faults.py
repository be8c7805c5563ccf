"""The faults of an emulator: set for a version, active while it is deployed."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hookgate_rehearsal.codedeploy.model.deployment import Deployment
from hookgate_rehearsal.codedeploy.observation import (
    Change,
    EventStarted,
    StatusChanged,
)
from hookgate_rehearsal.data_plane.settings import Certificate
from hookgate_rehearsal.faults.calls import CallFault
from hookgate_rehearsal.faults.schema import (
    CallFile,
    FaultsFile,
    HookFile,
    StaleListenerFile,
    StopFile,
)
from hookgate_rehearsal.functions.asynchronous import Delivery
from hookgate_rehearsal.functions.function import Function, function_name

_REPORT = "codedeploy:PutLifecycleEventHookExecutionStatus"
_ID = "LifecycleEventHookExecutionId"
#: More attempts than Lambda makes.
_ALL = 10
_LOGGER = logging.getLogger(__name__)


class Faults:
    """The faults of each version, and those of the deployments that run now.

    Faults of tasks stay with the version. All others are active from the creation of
    the deployment to its end; a rollback has none.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._versions: dict[str, tuple[FaultsFile, Certificate | None]] = {}
        self._active: dict[str, _ActiveFaults] = {}

    def add(
        self,
        task_definition: str,
        faults: FaultsFile,
        certificate: Certificate | None = None,
    ) -> None:
        """Set the faults of a version.

        Args:
            task_definition: the ARN that the version's AppSpec names.
            faults: the faults.
            certificate: the content of ``faults.certificate``.
        """
        with self._lock:
            self._versions[task_definition] = faults, certificate

    def of_version(self, task_definition: str) -> FaultsFile | None:
        """The faults of a version."""
        with self._lock:
            return self._versions.get(task_definition, (None, None))[0]

    def on_change(self, change: Change) -> StopFile | None:
        """Update the active faults after a deployment's change.

        Returns:
            The stop that is due now, if the deployment has one.
        """
        with self._lock:
            if isinstance(change, StatusChanged):
                self._update(change.deployment)
                return None
            active = self._active.get(change.deployment.id)
        stop = active.faults.stop if active else None
        if stop is None or not isinstance(change, EventStarted):
            return None
        return stop if stop.at == change.event.name else None

    def stale_listener(self, listener: str) -> StaleListenerFile | None:
        """The fault of a listener's next change."""
        active = self._of_listener(listener)
        return active.faults.stale_test_listener if active else None

    def certificate(self, listener: str) -> Certificate | None:
        """The certificate that a listener presents instead of its own."""
        active = self._of_listener(listener)
        return active.certificate if active else None

    def hook(self, deployment_id: str, function: str) -> HookFile | None:
        """The fault of a deployment's function."""
        with self._lock:
            active = self._active.get(deployment_id)
        return active.hooks.get(function) if active else None

    def calls(self) -> tuple[CallFault, ...]:
        """The active faults of calls."""
        with self._lock:
            return tuple(call for each in self._active.values() for call in each.calls)

    def _of_listener(self, listener: str) -> _ActiveFaults | None:
        with self._lock:
            active = self._active.values()
            return next((e for e in active if e.test_listener == listener), None)

    def _update(self, deployment: Deployment) -> None:
        if deployment.is_over:
            self._active.pop(deployment.id, None)
            return
        version = self._versions.get(deployment.order.app_spec.task_definition)
        is_new = deployment.id not in self._active
        if version and is_new and deployment.order.rollback_of is None:
            self._active[deployment.id] = _active_faults(deployment, *version)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ActiveFaults:
    """The faults of a deployment, by what they affect."""

    faults: FaultsFile
    certificate: Certificate | None
    test_listener: str | None
    hooks: Mapping[str, HookFile]
    calls: tuple[CallFault, ...]


def _active_faults(
    deployment: Deployment, faults: FaultsFile, certificate: Certificate | None
) -> _ActiveFaults:
    functions = {
        str(event): function_name(function)
        for event, function in deployment.order.app_spec.hooks.items()
    }
    hooks = {
        functions[event]: fault
        for event, fault in faults.hooks
        if fault is not None and event in functions
    }
    denied = [
        CallFault(fault=CallFile(call=_REPORT, gets="denied"), function=name)
        for name, fault in hooks.items()
        if fault.does == "is_not_permitted"
    ]
    return _ActiveFaults(
        faults=faults,
        certificate=certificate,
        test_listener=deployment.order.routes.test,
        hooks=hooks,
        calls=(*denied, *(CallFault(fault=each) for each in faults.calls)),
    )


class FaultyEventInvoker:
    """Delivers CodeDeploy's events late, twice, changed or not at all.

    Args:
        fault: returns the fault of a deployment's id and a function's name.
    """

    def __init__(self, fault: Callable[[str, str], HookFile | None]) -> None:
        self._fault = fault

    def deliveries(self, function: Function, payload: bytes) -> Sequence[Delivery]:
        """The deliveries of an event; one, unless a fault applies."""
        event = json.loads(payload)
        deployment = event.get("DeploymentId", "") if isinstance(event, Mapping) else ""
        fault = self._fault(deployment, function.name)
        delivery = Delivery(payload=payload)
        if fault is None:
            return (delivery,)
        match fault.does:
            case "never_reports":
                return ()
            case "reports_late":
                return (Delivery(payload=payload, delay=fault.by or 0.0),)
            case "reports_twice":
                return (delivery, delivery)
            case "reports_foreign_id":
                foreign = {**event, _ID: f"{_ID}-{uuid.uuid4()}"}
                return (Delivery(payload=json.dumps(foreign).encode()),)
            case "dies":
                return (Delivery(payload=payload, deaths=fault.times or _ALL),)
        return (delivery,)  # its report is denied later


class Stops:
    """Calls StopDeployment for the deployments that have this fault.

    Args:
        faults: the faults, which get each change.
        codedeploy: creates a boto3 client of the emulator.
    """

    def __init__(self, faults: Faults, codedeploy: Callable[[], Any]) -> None:
        self._faults = faults
        self._codedeploy = codedeploy
        self._timers: list[threading.Timer] = []

    def on_change(self, change: Change) -> None:
        """Schedule the stop of a deployment if it is due after this change."""
        stop = self._faults.on_change(change)
        if stop is None:
            return
        timer = threading.Timer(stop.after, self._stop, (change.deployment.id, stop))
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    def close(self) -> None:
        """Cancel the scheduled stops."""
        for timer in self._timers:
            timer.cancel()
            timer.join()

    def _stop(self, deployment_id: str, stop: StopFile) -> None:
        request: dict[str, Any] = {"deploymentId": deployment_id}
        if stop.rollback is not None:
            request["autoRollbackEnabled"] = stop.rollback
        try:
            self._codedeploy().stop_deployment(**request)
        except Exception:
            _LOGGER.exception("%s could not be stopped", deployment_id)
