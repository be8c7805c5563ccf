"""The faults of an emulator: set for a version, active while it is deployed."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
import socket
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from hookgate_rehearsal.codedeploy.engine import (
    Change,
    EventStarted,
    StatusChanged,
)
from hookgate_rehearsal.codedeploy.model.deployment import Deployment
from hookgate_rehearsal.data_plane.settings import Certificate
from hookgate_rehearsal.endpoint.protocols import Refusal, refusal
from hookgate_rehearsal.faults.schema import (
    CallFile,
    FaultsFile,
    HookFile,
    StaleListenerFile,
    StopFile,
)
from hookgate_rehearsal.functions.fleet import Delivery
from hookgate_rehearsal.functions.function import Function, function_name

_REPORT = "codedeploy:PutLifecycleEventHookExecutionStatus"
_ID = "LifecycleEventHookExecutionId"
#: More attempts than Lambda makes.
_ALL = 10
_LOGGER = logging.getLogger(__name__)

#: The key ids of ``AccessKey``.
_CALLER = re.compile(
    r"Credential=[^/.]*\.(?:function\.(?P<function>[^/]*)|codedeploy)"
    r"/\d*/[^/]*/(?P<service>[^/]*)/"
)

#: IAM's prefix, where the scope of a signature is another name.
_SCOPES = {"monitoring": "cloudwatch"}

_RPC = re.compile(r"/service/[^/]+/operation/(?P<operation>[^/]+)")


@dataclass(slots=True, kw_only=True)
class CallFault:
    """A fault of one operation.

    Args:
        fault: the scenario's fault.
        function: the function whose calls it affects; None for all functions.
    """

    fault: CallFile
    function: str | None = None
    calls: int = field(default=0, init=False)

    def affects(self, function: str | None, call: str) -> bool:
        """Whether it affects this call; each call counts.

        Args:
            function: the function that calls; None for CodeDeploy.
            call: the operation.
        """
        by = "codedeploy" if function is None else "hooks"
        if self.function not in {None, function}:
            return False
        if (by, call) != (self.fault.by, self.fault.call):
            return False
        self.calls += 1
        return self.fault.times is None or self.calls <= self.fault.times


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

    def deliveries(self, function: Function, payload: bytes) -> Sequence[Delivery]:
        """The deliveries of CodeDeploy's event to a function."""
        event = json.loads(payload)
        deployment = event.get("DeploymentId", "") if isinstance(event, dict) else ""
        return deliveries(self.hook(deployment, function.name), payload)

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
        str(event): function
        for event, function in deployment.order.app_spec.hooks.items()
    }
    hooks = {
        function_name(functions[event]): fault
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


def deliveries(fault: HookFile | None, payload: bytes) -> Sequence[Delivery]:
    """Deliver CodeDeploy's event once; with a fault late, twice, changed or never."""
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
            foreign = {**json.loads(payload), _ID: f"{_ID}-{uuid.uuid4()}"}
            return (Delivery(payload=json.dumps(foreign).encode()),)
        case "dies":
            return (Delivery(payload=payload, deaths=fault.times or _ALL),)
    return (delivery,)  # the report of one that is not permitted is denied later


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


class FaultyCalls:
    """WSGI middleware of the endpoint that applies the faults of calls.

    Args:
        application: the WSGI application.
        faults: returns the active faults.
    """

    def __init__(
        self, application: Any, faults: Callable[[], Iterable[CallFault]]
    ) -> None:
        self._application = application
        self._faults = faults
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Respond as the application does, or apply a fault."""
        caller = _CALLER.search(environ.get("HTTP_AUTHORIZATION", ""))
        active = tuple(self._faults()) if caller else ()
        if not caller or not active:
            return self._application(environ, start_response)
        call = call_of(caller["service"], environ, _body(environ))
        with self._lock:
            function = caller["function"]
            fault = next((e for e in active if e.affects(function, call)), None)
        if fault is None:
            return self._application(environ, start_response)
        gets = fault.fault.gets
        if gets in {"throttled", "denied"}:
            reply = refusal(environ, _refused(gets, function or "codedeploy", call))
            start_response(f"{reply.status} Refused", list(reply.headers.items()))
            return [reply.body]
        if gets == "answer_lost":
            b"".join(self._application(environ, lambda *_: None))
        with contextlib.suppress(OSError):
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        start_response("500 Lost", [])  # the connection is closed
        return []


def _body(environ: dict[str, Any]) -> bytes:
    """The request's body; the application can read it again."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _refused(gets: str, role: str, call: str) -> Refusal:
    """AWS's error for a call that is throttled or denied."""
    if gets == "throttled":
        return Refusal(code="Throttling", message="Rate exceeded", status=400)
    message = (
        f"User: arn:aws:sts::123456789012:assumed-role/{role}/{role} is "
        f"not authorized to perform: {call}"
    )
    return Refusal(code="AccessDenied", message=message, status=403)


def call_of(service: str, environ: Mapping[str, Any], body: bytes) -> str:
    """The operation of a request, as IAM writes it.

    Args:
        service: the service in the scope of the request's signature.
        environ: WSGI's.
        body: the request's body, which names the operation in the query protocol.
    """
    target = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
    path = _RPC.fullmatch(str(environ.get("PATH_INFO", "")))
    form = parse_qs(body.decode("latin-1")).get("Action", [""])[0]
    operation = target or (path["operation"] if path else form)
    return f"{_SCOPES.get(service, service)}:{operation}"
