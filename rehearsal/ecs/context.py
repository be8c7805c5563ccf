"""What every ECS operation works with, and the look-ups that they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hookgate_rehearsal.ecs.records import EcsTaskSet, Location, Task, last_part
from hookgate_rehearsal.ecs.scheduler import Scheduler
from hookgate_rehearsal.endpoint.protocols import ApiError


def task_set_shape(
    task_set: EcsTaskSet, location: Location, *, is_steady: bool
) -> dict[str, Any]:
    """Build the API's shape of a task set."""
    return {
        "id": task_set.id,
        "taskSetArn": task_set.arn,
        "serviceArn": location.service(task_set.cluster, task_set.service),
        "clusterArn": location.cluster(task_set.cluster),
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


def task_shape(task: Task, task_set: EcsTaskSet, location: Location) -> dict[str, Any]:
    """Build the API's shape of a task."""
    is_over = task.status == "STOPPED"
    return {
        "taskArn": task.arn,
        "clusterArn": location.cluster(task_set.cluster),
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


CallMoto = Callable[[str, Mapping[str, Any]], dict[str, Any]]

OPTIONS = (
    "launchType",
    "platformVersion",
    "networkConfiguration",
    "capacityProviderStrategy",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsContext:
    """What every ECS operation works with.

    ``moto`` calls moto's ECS. ``is_attached`` is whether any load balancer uses the
    target group with an ARN.
    """

    scheduler: Scheduler
    location: Location
    moto: CallMoto
    is_attached: Callable[[str], bool]

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

    def task_sets(self, cluster: str, service: str) -> list[EcsTaskSet]:
        """The task sets of a service, PRIMARY first."""
        found = [
            each
            for each in self.scheduler.task_sets
            if (each.cluster, each.service) == (last_part(cluster), last_part(service))
        ]
        return sorted(found, key=lambda each: each.status != "PRIMARY")

    def task_set(
        self, request: Mapping[str, Any], member: str = "taskSet"
    ) -> EcsTaskSet:
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

    def checked(
        self, definition: dict[str, Any], balancers: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Check that a task definition has the containers and ports of load balancers.

        Without the check its tasks would get no requests and be steady.
        """
        containers = {each["name"]: each for each in definition["containerDefinitions"]}
        for balancer in balancers:
            name, port = balancer.get("containerName"), balancer.get("containerPort")
            if name not in containers:
                message = f"The container {name} does not exist in the task definition."
                raise ApiError("InvalidParameterException", message)
            mappings = containers[name].get("portMappings") or []
            if port not in {each.get("containerPort") for each in mappings}:
                what = f"did not have a container port {port} defined"
                message = f"The container {name} {what}."
                raise ApiError("InvalidParameterException", message)
        return definition

    def shape(self, task_set: EcsTaskSet) -> dict[str, Any]:
        """A task set in the API's shape."""
        is_steady = self.scheduler.is_steady(task_set)
        return task_set_shape(task_set, self.location, is_steady=is_steady)


EcsOperation = Callable[[EcsContext, dict[str, Any]], Mapping[str, Any] | None]

"""What an operation does with a request."""
