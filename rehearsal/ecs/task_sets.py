"""CreateTaskSet and its siblings, and the look-ups that they share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.ecs.records import TaskSet, Whereabouts, last_part
from rehearsal.ecs.scheduler import Scheduler
from rehearsal.ecs.shapes import task_set_shape
from rehearsal.endpoint.errors import ApiError
from rehearsal.endpoint.json_service import Operation

CallMoto = Callable[[str, Mapping[str, Any]], dict[str, Any]]
OPTIONS = (
    "launchType",
    "platformVersion",
    "networkConfiguration",
    "capacityProviderStrategy",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsContext:
    """What every ECS operation works with; ``moto`` calls moto's ECS."""

    scheduler: Scheduler
    whereabouts: Whereabouts
    moto: CallMoto

    def service(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The service that a request names, as moto knows it."""
        cluster = request.get("cluster", "default")
        name = last_part(request["service"])
        asked = {"cluster": cluster, "services": [name]}
        found = self.moto("DescribeServices", asked)["services"]
        if not found:
            message = f"There is no service {name} in the cluster {cluster}."
            raise ApiError("ServiceNotFoundException", message)
        return dict(found[0])

    def task_sets(self, cluster: str, service: str) -> list[TaskSet]:
        """The task sets of a service, PRIMARY first."""
        found = [
            each
            for each in self.scheduler.task_sets
            if (each.cluster, each.service) == (last_part(cluster), last_part(service))
        ]
        return sorted(found, key=lambda each: each.status != "PRIMARY")

    def task_set(self, request: Mapping[str, Any], member: str = "taskSet") -> TaskSet:
        """The task set that a request names by id or by ARN."""
        wanted = request[member]
        cluster = request.get("cluster", "default")
        for task_set in self.task_sets(cluster, request["service"]):
            if wanted in (task_set.id, task_set.arn):
                return task_set
        message = f"The service has no task set {wanted}."
        raise ApiError("TaskSetNotFoundException", message)

    def definition(self, task_definition: str) -> dict[str, Any]:
        """A task definition as it was registered."""
        asked = {"taskDefinition": task_definition}
        return dict(self.moto("DescribeTaskDefinition", asked)["taskDefinition"])

    def shape(self, task_set: TaskSet) -> dict[str, Any]:
        """A task set in the API's shape."""
        is_steady = self.scheduler.is_steady(task_set)
        return task_set_shape(task_set, self.whereabouts, is_steady=is_steady)


def operations(context: EcsContext) -> dict[str, Operation]:
    """Create-, Describe-, Update-, DeleteTaskSet, UpdateServicePrimaryTaskSet."""
    scheduler = context.scheduler

    def create(request: dict[str, Any]) -> dict[str, Any]:
        service = context.service(request)
        controller = service["deploymentController"]["type"]
        if controller not in {"CODE_DEPLOY", "EXTERNAL"}:
            message = f"A service under the {controller} controller has no task sets."
            raise ApiError("InvalidParameterException", message)
        cluster = last_part(service["clusterArn"])
        name = service["serviceName"]
        task_set = TaskSet(
            cluster=cluster,
            service=name,
            arn=context.whereabouts.new_task_set(cluster, name),
            definition=context.definition(request["taskDefinition"]),
            load_balancers=request.get("loadBalancers") or [],
            desired=service["desiredCount"],
            scale=float((request.get("scale") or {}).get("value", 0.0)),
            external_id=request.get("externalId"),
            started_by="CODE_DEPLOY" if controller == "CODE_DEPLOY" else None,
            options={name: request[name] for name in OPTIONS if name in request},
        )
        scheduler.add(task_set)
        return {"taskSet": context.shape(task_set)}

    def describe(request: dict[str, Any]) -> dict[str, Any]:
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

    def update(request: dict[str, Any]) -> dict[str, Any]:
        task_set = context.task_set(request)
        task_set.scale = float(request["scale"]["value"])
        task_set.updated_at = time.time()
        return {"taskSet": context.shape(task_set)}

    def make_primary(request: dict[str, Any]) -> dict[str, Any]:
        chosen = context.task_set(request, "primaryTaskSet")
        for each in context.task_sets(chosen.cluster, chosen.service):
            if each.status == "PRIMARY":
                each.status = "ACTIVE"
        chosen.status, chosen.updated_at = "PRIMARY", time.time()
        return {"taskSet": context.shape(chosen)}

    def delete(request: dict[str, Any]) -> dict[str, Any]:
        task_set = context.task_set(request)
        if task_set.status == "PRIMARY":
            message = f"{task_set.id} is PRIMARY: make another one PRIMARY first."
            raise ApiError("InvalidParameterException", message)
        scheduler.drain(task_set)
        return {"taskSet": context.shape(task_set)}

    return {
        "CreateTaskSet": create,
        "DescribeTaskSets": describe,
        "UpdateTaskSet": update,
        "UpdateServicePrimaryTaskSet": make_primary,
        "DeleteTaskSet": delete,
    }
