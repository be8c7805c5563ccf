"""A deployment in the API's shapes: ``DeploymentInfo`` and ``DeploymentTarget``."""

from __future__ import annotations

from typing import Any

from rehearsal.codedeploy.model.deployment import (
    Deployment,
    Event,
    EventStatus,
    TaskSet,
)
from rehearsal.codedeploy.model.rollback import rolling_back_message, triggered_message
from rehearsal.codedeploy.registry import without_content
from rehearsal.codedeploy.settings import EngineSettings


def deployment_info(deployment: Deployment, settings: EngineSettings) -> dict[str, Any]:
    """``deploymentInfo`` as GetDeployment tells it."""
    order = deployment.order
    waits_shown = settings.assumptions.termination_wait_is_shown
    return {
        **order.group_settings,
        "applicationName": order.application,
        "deploymentGroupName": order.group,
        "deploymentConfigName": order.config,
        "deploymentId": deployment.id,
        "previousRevision": without_content(order.previous_revision),
        "revision": without_content(order.revision),
        "status": deployment.status.value,
        "errorInformation": _error(deployment),
        "createTime": order.created_at,
        "startTime": deployment.started_at,
        "completeTime": deployment.completed_at,
        "deploymentOverview": _overview(deployment),
        "description": order.description,
        "creator": order.creator.value,
        "ignoreApplicationStopFailures": False,
        "updateOutdatedInstancesOnly": False,
        "rollbackInfo": _rollback(deployment),
        "instanceTerminationWaitTimeStarted": waits_shown
        and not deployment.is_over
        and deployment.target_status is EventStatus.SUCCEEDED,
        "fileExistsBehavior": "DISALLOW",
        "deploymentStatusMessages": [],
        "computePlatform": "ECS",
    }


def _error(deployment: Deployment) -> dict[str, Any] | None:
    error = deployment.error
    if error is None:
        return None
    return {"code": error.code.value, "message": error.message}


def _overview(deployment: Deployment) -> dict[str, int] | None:
    """Counts of the one target; absent until the end, as captured from AWS."""
    if not deployment.is_over:
        return None
    names = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready")
    return {name: int(deployment.target_status == name) for name in names}


def _rollback(deployment: Deployment) -> dict[str, Any] | None:
    if deployment.rollback_id is not None:
        return {
            "rollbackDeploymentId": deployment.rollback_id,
            "rollbackMessage": triggered_message(deployment),
        }
    if deployment.order.rollback_of is not None:
        return {
            "rollbackTriggeringDeploymentId": deployment.order.rollback_of,
            "rollbackMessage": rolling_back_message(deployment.order),
        }
    return None


def deployment_target(deployment: Deployment, target_arn: str) -> dict[str, Any]:
    """``deploymentTarget`` as GetDeploymentTarget tells it."""
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


def _task_set(task_set: TaskSet) -> dict[str, Any]:
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
