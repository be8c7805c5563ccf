"""Deployment targets: one ECS service for each deployment, and no instances.

The operations on instances belong to the EC2/on-premises platform; an ECS deployment
has none, and an account without that platform has none registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hookgate_rehearsal.codedeploy.api.context import (
    CodeDeployContext,
    CodeDeployOperation,
    paged,
)
from hookgate_rehearsal.codedeploy.model.deployment import (
    Deployment,
    DeploymentTaskSet,
    Event,
)
from hookgate_rehearsal.endpoint.protocols import ApiError

MOST_TARGETS = 25


def _get(context: CodeDeployContext, request: dict[str, Any]) -> dict[str, Any]:
    deployment = _started(context, request)
    return {"deploymentTarget": _target(context, deployment, request["targetId"])}


def _batch_get(context: CodeDeployContext, request: dict[str, Any]) -> dict[str, Any]:
    deployment = _started(context, request)
    ids = request["targetIds"]
    if not ids:
        message = "targetIds is empty: which targets?"
        raise ApiError("DeploymentTargetIdRequiredException", message)
    if len(ids) > MOST_TARGETS:
        message = f"At most {MOST_TARGETS} targets can be asked for at once."
        raise ApiError("DeploymentTargetListSizeExceededException", message)
    targets = [_target(context, deployment, one) for one in ids]
    return {"deploymentTargets": targets}


def _list_all(context: CodeDeployContext, request: dict[str, Any]) -> dict[str, Any]:
    deployment = _started(context, request)
    filters = request.get("targetFilters") or {}
    unknown = set(filters) - {"TargetStatus", "ServerInstanceLabel"}
    if unknown:
        message = f"{sorted(unknown)} are no target filters."
        raise ApiError("InvalidTargetFilterNameException", message)
    wanted = filters.get("TargetStatus")
    if wanted is not None and deployment.target_status not in wanted:
        return paged(request, "targetIds", [])
    return paged(request, "targetIds", [deployment.order.service.target_id])


def _started(context: CodeDeployContext, request: dict[str, Any]) -> Deployment:
    deployment = context.deployment(request["deploymentId"])
    if not deployment.status.is_started:
        message = f"The deployment {deployment.id} is {deployment.status}."
        raise ApiError("DeploymentNotStartedException", message)
    return deployment


def _target(
    context: CodeDeployContext, deployment: Deployment, target_id: str
) -> dict[str, Any]:
    expected = deployment.order.service.target_id
    if target_id.count(":") != 1:
        message = f"{target_id!r} is no target id; an ECS target is cluster:service."
        raise ApiError("InvalidDeploymentTargetIdException", message)
    if target_id != expected:
        message = f"The deployment's target is {expected}, not {target_id}."
        raise ApiError("DeploymentTargetDoesNotExistException", message)
    return deployment_target(deployment, context.service_arn(deployment))


def _instances(context: CodeDeployContext, request: dict[str, Any]) -> None:
    deployment = context.deployment(request["deploymentId"])
    message = (
        f"The deployment {deployment.id} is on the compute platform ECS, which has no "
        "instances; use ListDeploymentTargets and GetDeploymentTarget."
    )
    raise ApiError("InvalidComputePlatformException", message)


def _skip_wait(context: CodeDeployContext, request: dict[str, Any]) -> None:
    deployment = context.deployment(request.get("deploymentId"))
    if deployment.is_over:
        message = f"The deployment {deployment.id} is already {deployment.status}."
        raise ApiError("DeploymentAlreadyCompletedException", message)
    message = (
        f"The deployment {deployment.id} terminates no instances; use "
        "ContinueDeployment with deploymentWaitType TERMINATION_WAIT."
    )
    raise ApiError("UnsupportedActionForDeploymentTypeException", message)


def _list_on_premises(_: CodeDeployContext, request: dict[str, Any]) -> dict[str, Any]:
    status = request.get("registrationStatus", "Registered")
    if status not in {"Registered", "Deregistered"}:
        message = f"registrationStatus is Registered or Deregistered, not {status!r}."
        raise ApiError("InvalidRegistrationStatusException", message)
    return paged(request, "instanceNames", [])


def _get_on_premises(_: CodeDeployContext, request: dict[str, Any]) -> None:
    message = f"The on-premises instance {request['instanceName']} is not registered."
    raise ApiError("InstanceNotRegisteredException", message)


def _list_tokens(_: CodeDeployContext, request: dict[str, Any]) -> dict[str, Any]:
    return paged(request, "tokenNameList", [])


def deployment_target(deployment: Deployment, target_arn: str) -> dict[str, Any]:
    """Build ``deploymentTarget``."""
    task_sets = (deployment.blue, deployment.green)
    return {
        "deploymentTargetType": "ECSTarget",
        "ecsTarget": {
            "deploymentId": deployment.id,
            "targetId": deployment.order.service.target_id,
            "targetArn": target_arn,
            "lastUpdatedAt": deployment.updated_at,
            "lifecycleEvents": [_event(event) for event in deployment.events],
            "status": deployment.target_status.value,
            "taskSetsInfo": [_task_set(each) for each in task_sets if each is not None],
        },
    }


def _event(event: Event) -> dict[str, Any]:
    diagnosis = event.diagnosis
    return {
        "lifecycleEventName": event.name.value,
        "status": event.status.value,
        "startTime": event.started_at,
        "endTime": event.ended_at,
        "diagnostics": diagnosis
        and {
            "errorCode": diagnosis.value,
            "scriptName": "",
            "message": event.message,
            "logTail": "",
        },
    }


def _task_set(task_set: DeploymentTaskSet) -> dict[str, Any]:
    return {
        "identifer": task_set.id,  # misspelt in the API's own model
        "desiredCount": task_set.desired,
        "pendingCount": task_set.pending,
        "runningCount": task_set.running,
        "status": task_set.status,
        "trafficWeight": task_set.weight,
        "targetGroup": {"name": task_set.target_group},
        "taskSetLabel": task_set.label.value,
    }


OPERATIONS: Mapping[str, CodeDeployOperation] = {
    "GetDeploymentTarget": _get,
    "BatchGetDeploymentTargets": _batch_get,
    "ListDeploymentTargets": _list_all,
    "ListDeploymentInstances": _instances,
    "GetDeploymentInstance": _instances,
    "BatchGetDeploymentInstances": _instances,
    "SkipWaitTimeForInstanceTermination": _skip_wait,
    "ListOnPremisesInstances": _list_on_premises,
    "GetOnPremisesInstance": _get_on_premises,
    "ListGitHubAccountTokenNames": _list_tokens,
}
