"""The one call by which a hook's function says what it decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.codedeploy.api.context import Context, ContextOperation
from rehearsal.codedeploy.model.deployment import Deployment, EventStatus
from rehearsal.codedeploy.model.signals import Reported
from rehearsal.endpoint.conformity import ApiError

ACCEPTED = {"Succeeded": True, "Failed": False}


def _put(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    with context.engine.changed:
        deployment = context.deployment(request.get("deploymentId"))
        status = request.get("status")
        if status not in ACCEPTED:
            message = f"status must be Succeeded or Failed, not {status!r}."
            code = "InvalidLifecycleEventHookExecutionStatusException"
            raise ApiError(code, message)
        execution_id = request.get("lifecycleEventHookExecutionId")
        _check_running(deployment, execution_id)
        reported = Reported(execution_id=str(execution_id), succeeded=ACCEPTED[status])
        context.engine.signal(deployment.id, reported)
        return {"lifecycleEventHookExecutionId": execution_id}


def _check_running(deployment: Deployment, execution_id: str | None) -> None:
    """Refuse a foreign id, and a report for what is already over."""
    found = [e for e in deployment.events if e.execution_id == execution_id]
    if execution_id is None or not found:
        message = (
            f"The deployment {deployment.id} has no lifecycle event hook execution of "
            "that id: review the Hooks section of its AppSpec."
        )
        raise ApiError("InvalidLifecycleEventHookExecutionIdException", message)
    (event,) = found
    if event.status is not EventStatus.IN_PROGRESS:
        message = f"{event.name} of {deployment.id} is already {event.status}."
        raise ApiError("LifecycleEventAlreadyCompletedException", message)


OPERATIONS: Mapping[str, ContextOperation] = {
    "PutLifecycleEventHookExecutionStatus": _put,
}
