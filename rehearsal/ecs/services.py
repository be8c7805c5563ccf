"""Services under the CODE_DEPLOY controller: moto's, with real task sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hookgate_rehearsal.ecs.context import OPTIONS, EcsContext, EcsOperation
from hookgate_rehearsal.ecs.records import EcsTaskSet, last_part
from hookgate_rehearsal.endpoint.protocols import ApiError

CONTROLLED = {"CODE_DEPLOY", "EXTERNAL"}
#: What UpdateService does not change under CODE_DEPLOY, by the request's member.
#: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
_OF_CODEDEPLOY = {
    "taskDefinition": "Unable to update task definition",
    "loadBalancers": "Unable to update load balancers",
    "networkConfiguration": "Unable to update network parameters",
    "platformVersion": "Unable to update platform version",
    "forceNewDeployment": "Cannot force a new deployment",
}


def _create(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    _check_new(context, request)
    # Moto would look the subnets up in EC2; an emulator's tasks are in none.
    asked = {k: v for k, v in request.items() if k != "networkConfiguration"}
    service = context.moto("CreateService", asked)["service"]
    if service["deploymentController"]["type"] == "CODE_DEPLOY":
        context.scheduler.add(_first_task_set(context, request, service))
    return {"service": _shown(context, service)}


def _check_new(context: EcsContext, request: dict[str, Any]) -> None:
    code = "InvalidParameterException"
    cluster, name = request.get("cluster", "default"), request["serviceName"]
    asked = {"cluster": cluster, "services": [name]}
    found = context.moto("DescribeServices", asked)["services"]
    if any(each["status"] != "INACTIVE" for each in found):
        raise ApiError(code, "Creation of service was not idempotent.")
    balancers = request.get("loadBalancers") or []
    for arn in (each.get("targetGroupArn") for each in balancers):
        if arn and not context.is_attached(arn):
            what = "does not have an associated load balancer"
            raise ApiError(code, f"The target group with targetGroupArn {arn} {what}.")
    if "taskDefinition" not in request:
        return
    definition = context.definition(request["taskDefinition"])
    if definition.get("networkMode") == "awsvpc" and not request.get(
        "networkConfiguration"
    ):
        what = "when networkMode 'awsvpc' is specified"
        raise ApiError(code, f"Network Configuration must be provided {what}.")
    if (request.get("deploymentController") or {}).get("type") == "CODE_DEPLOY":
        if not balancers:
            what = "for a service with a CODE_DEPLOY deployment controller"
            raise ApiError(code, f"A load balancer must be provided {what}.")
        context.checked(definition, balancers)


def _describe(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    answer = context.moto("DescribeServices", request)
    services = [_shown(context, service) for service in answer["services"]]
    return {**answer, "services": services}


def _update(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    before = context.service(request)
    if before["deploymentController"]["type"] == "CODE_DEPLOY":
        for member, refusal in _OF_CODEDEPLOY.items():
            if request.get(member):
                message = (
                    f"{refusal} on services with a CODE_DEPLOY deployment controller. "
                    "Use AWS CodeDeploy to trigger a new deployment."
                )
                raise ApiError("InvalidParameterException", message)
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


def _delete_cluster(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    cluster = {"cluster": request["cluster"]}
    token: dict[str, Any] | None = {}
    while token is not None:
        page = context.moto("ListServices", {**cluster, **token})
        asked = {**cluster, "services": page["serviceArns"]}
        found = context.moto("DescribeServices", asked)["services"]
        if any(each["status"] != "INACTIVE" for each in found):
            message = "The Cluster cannot be deleted while Services are active."
            raise ApiError("ClusterContainsServicesException", message)
        token = {"nextToken": page["nextToken"]} if page.get("nextToken") else None
    return context.moto("DeleteCluster", cluster)


def _first_task_set(
    context: EcsContext, request: dict[str, Any], service: dict[str, Any]
) -> EcsTaskSet:
    cluster, name = last_part(service["clusterArn"]), service["serviceName"]
    return EcsTaskSet(
        cluster=cluster,
        service=name,
        arn=context.location.new_task_set(cluster, name),
        definition=context.definition(request["taskDefinition"]),
        load_balancers=request.get("loadBalancers") or [],
        desired=request.get("desiredCount", 1),
        status="PRIMARY",
        options={name: request[name] for name in OPTIONS if name in request},
    )


def _task_sets(context: EcsContext, service: dict[str, Any]) -> list[EcsTaskSet]:
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
    "DeleteCluster": _delete_cluster,
}
