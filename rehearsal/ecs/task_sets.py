"""Task sets and their tasks: create, describe, update, stop and delete."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from hookgate_rehearsal.ecs.context import OPTIONS, EcsContext, EcsOperation, task_shape
from hookgate_rehearsal.ecs.records import EcsTaskSet, Task, last_part
from hookgate_rehearsal.endpoint.protocols import ApiError, BadTokenError, page


def _create(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    service = context.service(request)
    controller = service["deploymentController"]["type"]
    if controller not in {"CODE_DEPLOY", "EXTERNAL"}:
        message = f"A service under the {controller} controller has no task sets."
        raise ApiError("InvalidParameterException", message)
    cluster = last_part(service["clusterArn"])
    name = service["serviceName"]
    balancers = request.get("loadBalancers") or []
    task_set = EcsTaskSet(
        cluster=cluster,
        service=name,
        arn=context.location.new_task_set(cluster, name),
        definition=context.checked(
            context.definition(request["taskDefinition"]), balancers
        ),
        load_balancers=balancers,
        desired=service["desiredCount"],
        scale=float((request.get("scale") or {}).get("value", 0.0)),
        external_id=request.get("externalId"),
        started_by="CODE_DEPLOY" if controller == "CODE_DEPLOY" else None,
        options={name: request[name] for name in OPTIONS if name in request},
    )
    context.scheduler.add(task_set)
    return {"taskSet": context.shape(task_set)}


def _describe(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    service = context.service(request)
    found = context.task_sets(service["clusterArn"], service["serviceName"])
    wanted = request.get("taskSets") or [each.arn for each in found]
    known = {key: each for each in found for key in (each.id, each.arn)}
    return {
        "taskSets": [context.shape(known[key]) for key in wanted if key in known],
        "failures": [
            {"arn": key, "reason": "MISSING"} for key in wanted if key not in known
        ],
    }


def _update(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    task_set = context.task_set(request)
    task_set.scale = float(request["scale"]["value"])
    task_set.updated_at = time.time()
    return {"taskSet": context.shape(task_set)}


def _make_primary(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    chosen = context.task_set(request, "primaryTaskSet")
    for each in context.task_sets(chosen.cluster, chosen.service):
        if each.status == "PRIMARY":
            each.status = "ACTIVE"
    chosen.status, chosen.updated_at = "PRIMARY", time.time()
    return {"taskSet": context.shape(chosen)}


def _delete(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    task_set = context.task_set(request)
    if task_set.status == "PRIMARY":
        message = f"{task_set.id} is PRIMARY: make another one PRIMARY first."
        raise ApiError("InvalidParameterException", message)
    context.scheduler.drain(task_set)
    return {"taskSet": context.shape(task_set)}


PAGE = 100  # the most tasks of one answer, and of one question


def _list_tasks(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    cluster = last_part(request.get("cluster", "default"))
    service, family = request.get("serviceName"), request.get("family")
    status = request.get("desiredStatus", "RUNNING")
    found = [
        task.arn
        for task_set, task in _all_tasks(context, cluster)
        if service in (None, task_set.service)
        and family in (None, task_set.definition["family"])
        and task.is_wanted == (status == "RUNNING")
        and request.get("startedBy") in (None, task_set.id)
    ]
    size = request.get("maxResults", PAGE)
    if not 1 <= size <= PAGE:
        message = f"maxResults is {size}; it is 1 to {PAGE}."
        raise ApiError("InvalidParameterException", message)
    try:
        part, following = page(found, request.get("nextToken"), size)
    except BadTokenError as error:
        raise ApiError("InvalidParameterException", str(error)) from error
    return {"taskArns": found[part], "nextToken": following}


def _describe_tasks(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    known = {
        task.id: task_shape(task, task_set, context.location)
        for task_set, task in _all_tasks(
            context, last_part(request.get("cluster", "default"))
        )
    }
    wanted = request["tasks"]
    if len(wanted) > PAGE:
        message = f"At most {PAGE} tasks can be described at once, not {len(wanted)}."
        raise ApiError("InvalidParameterException", message)
    return {
        "tasks": [known[last_part(w)] for w in wanted if last_part(w) in known],
        "failures": [
            {"arn": each, "reason": "MISSING"}
            for each in wanted
            if last_part(each) not in known
        ],
    }


def _stop_task(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    cluster = last_part(request.get("cluster", "default"))
    for task_set, task in _all_tasks(context, cluster):
        if task.id == last_part(request["task"]):
            reason = request.get("reason", "Task stopped by user")
            context.scheduler.stop_task(task_set, task, reason)
            return {"task": task_shape(task, task_set, context.location)}
    message = f"There is no task {request['task']} in the cluster {cluster}."
    raise ApiError("InvalidParameterException", message)


def _all_tasks(context: EcsContext, cluster: str) -> Iterator[tuple[EcsTaskSet, Task]]:
    for task_set in context.scheduler.task_sets:
        if task_set.cluster == cluster:
            for task in task_set.tasks:
                yield task_set, task


OPERATIONS: Mapping[str, EcsOperation] = {
    "CreateTaskSet": _create,
    "DescribeTaskSets": _describe,
    "UpdateTaskSet": _update,
    "UpdateServicePrimaryTaskSet": _make_primary,
    "DeleteTaskSet": _delete,
    "ListTasks": _list_tasks,
    "DescribeTasks": _describe_tasks,
    "StopTask": _stop_task,
}
