"""CreateTaskSet and its siblings."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rehearsal.ecs.context import OPTIONS, EcsContext, EcsOperation
from rehearsal.ecs.records import TaskSet, last_part
from rehearsal.endpoint.conformity import ApiError


def _create(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    service = context.service(request)
    controller = service["deploymentController"]["type"]
    if controller not in {"CODE_DEPLOY", "EXTERNAL"}:
        message = f"A service under the {controller} controller has no task sets."
        raise ApiError("InvalidParameterException", message)
    cluster = last_part(service["clusterArn"])
    name = service["serviceName"]
    balancers = request.get("loadBalancers") or []
    task_set = TaskSet(
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


OPERATIONS: Mapping[str, EcsOperation] = {
    "CreateTaskSet": _create,
    "DescribeTaskSets": _describe,
    "UpdateTaskSet": _update,
    "UpdateServicePrimaryTaskSet": _make_primary,
    "DeleteTaskSet": _delete,
}
