"""Services under the CODE_DEPLOY controller: moto's, with real task sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.ecs.context import OPTIONS, EcsContext, EcsOperation
from rehearsal.ecs.records import TaskSet, last_part

CONTROLLED = {"CODE_DEPLOY", "EXTERNAL"}


def _create(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    if (request.get("deploymentController") or {}).get("type") == "CODE_DEPLOY":
        definition = context.definition(request["taskDefinition"])
        context.checked(definition, request.get("loadBalancers") or [])
    # Moto would look the subnets up in EC2; a stage's tasks are in none.
    asked = {k: v for k, v in request.items() if k != "networkConfiguration"}
    service = context.moto("CreateService", asked)["service"]
    if service["deploymentController"]["type"] == "CODE_DEPLOY":
        context.scheduler.add(_first_task_set(context, request, service))
    return {"service": _shown(context, service)}


def _describe(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    answer = context.moto("DescribeServices", request)
    services = [_shown(context, service) for service in answer["services"]]
    return {**answer, "services": services}


def _update(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    service = context.moto("UpdateService", request)["service"]
    for task_set in _task_sets(context, service):
        task_set.desired = service["desiredCount"]
    return {"service": _shown(context, service)}


def _delete(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    before = context.service(request)
    service = context.moto("DeleteService", request)["service"]
    for task_set in _task_sets(context, before):
        context.scheduler.drain(task_set)
    return {"service": _shown(context, service)}


def _first_task_set(
    context: EcsContext, request: dict[str, Any], service: dict[str, Any]
) -> TaskSet:
    cluster, name = last_part(service["clusterArn"]), service["serviceName"]
    return TaskSet(
        cluster=cluster,
        service=name,
        arn=context.whereabouts.new_task_set(cluster, name),
        definition=context.definition(request["taskDefinition"]),
        load_balancers=request.get("loadBalancers") or [],
        desired=request.get("desiredCount", 1),
        status="PRIMARY",
        options={name: request[name] for name in OPTIONS if name in request},
    )


def _task_sets(context: EcsContext, service: dict[str, Any]) -> list[TaskSet]:
    return context.task_sets(service["clusterArn"], service["serviceName"])


def _shown(context: EcsContext, service: dict[str, Any]) -> dict[str, Any]:
    """A service with its real counts and the PRIMARY task set's particulars."""
    if service["deploymentController"]["type"] not in CONTROLLED:
        return service
    found = _task_sets(context, service)
    shown = {
        **service,
        "taskSets": [context.shape(task_set) for task_set in found],
        "runningCount": sum(task_set.count("RUNNING") for task_set in found),
        "pendingCount": sum(task_set.count("PENDING") for task_set in found),
        "deployments": [],
    }
    primary = next((each for each in found if each.status == "PRIMARY"), None)
    if primary is not None:
        shown["taskDefinition"] = primary.definition["taskDefinitionArn"]
        shown["loadBalancers"] = primary.load_balancers
        shown["networkConfiguration"] = primary.options.get("networkConfiguration")
    return shown


OPERATIONS: Mapping[str, EcsOperation] = {
    "CreateService": _create,
    "DescribeServices": _describe,
    "UpdateService": _update,
    "DeleteService": _delete,
}
