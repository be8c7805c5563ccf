"""Task sets and tasks in the API's shapes."""

from __future__ import annotations

from typing import Any

from rehearsal.ecs.records import Task, TaskSet, Whereabouts


def task_set_shape(
    task_set: TaskSet, whereabouts: Whereabouts, *, is_steady: bool
) -> dict[str, Any]:
    """A task set as DescribeTaskSets and DescribeServices tell it."""
    return {
        "id": task_set.id,
        "taskSetArn": task_set.arn,
        "serviceArn": whereabouts.service(task_set.cluster, task_set.service),
        "clusterArn": whereabouts.cluster(task_set.cluster),
        "startedBy": task_set.started_by,
        "externalId": task_set.external_id,
        "status": task_set.status,
        "taskDefinition": task_set.definition["taskDefinitionArn"],
        "computedDesiredCount": task_set.wanted,
        "pendingCount": task_set.count("PENDING"),
        "runningCount": task_set.count("RUNNING"),
        "createdAt": task_set.created_at,
        "updatedAt": task_set.updated_at,
        "launchType": task_set.options.get("launchType"),
        "platformVersion": task_set.options.get("platformVersion"),
        "networkConfiguration": task_set.options.get("networkConfiguration"),
        "capacityProviderStrategy": task_set.options.get("capacityProviderStrategy"),
        "loadBalancers": task_set.load_balancers,
        "serviceRegistries": [],
        "scale": {"value": task_set.scale, "unit": "PERCENT"},
        "stabilityStatus": "STEADY_STATE" if is_steady else "STABILIZING",
        "tags": [],
    }


def task_shape(
    task: Task, task_set: TaskSet, whereabouts: Whereabouts
) -> dict[str, Any]:
    """A task as DescribeTasks tells it; its reason says why it stopped."""
    is_over = task.status == "STOPPED"
    return {
        "taskArn": task.arn,
        "clusterArn": whereabouts.cluster(task_set.cluster),
        "taskDefinitionArn": task.task_definition_arn,
        "group": f"service:{task_set.service}",
        "startedBy": task_set.id,
        "lastStatus": task.status,
        "desiredStatus": "RUNNING" if task.is_wanted else "STOPPED",
        "launchType": task_set.options.get("launchType"),
        "containers": [
            _container(task, name, image, is_over=is_over)
            for name, image in task.containers.items()
        ],
        "createdAt": task.created_at,
        "startedAt": task.started_at,
        "stoppingAt": task.stopping_at,
        "stoppedAt": task.stopped_at,
        "stoppedReason": task.stopped_reason,
        "stopCode": task.stop_code,
        "version": 1,
        "tags": [],
    }


def _container(task: Task, name: str, image: str, *, is_over: bool) -> dict[str, Any]:
    process = task.processes.get(name)
    bindings = []
    if process is not None:
        port = process.target.port
        bindings = [{"bindIP": process.target.id, "hostPort": port, "protocol": "tcp"}]
    return {
        "containerArn": f"{task.arn}/{name}",
        "taskArn": task.arn,
        "name": name,
        "image": image,
        "lastStatus": "STOPPED" if is_over else task.status,
        "exitCode": process.exit_code if process is not None else None,
        "reason": task.stopped_reason if process is None else None,
        "networkBindings": bindings,
    }
