"""What every ECS operation works with, and the look-ups that they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.ecs.records import TaskSet, Whereabouts, last_part
from rehearsal.ecs.scheduler import Scheduler
from rehearsal.ecs.shapes import task_set_shape
from rehearsal.endpoint.errors import ApiError

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

    ``moto`` calls moto's ECS. ``is_attached`` tells whether any load balancer uses the
    target group with an ARN.
    """

    scheduler: Scheduler
    whereabouts: Whereabouts
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

    def checked(
        self, definition: dict[str, Any], balancers: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """A task definition, unless a load balancer names what it has not.

        Without the check its tasks would serve nobody, and look well.
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

    def shape(self, task_set: TaskSet) -> dict[str, Any]:
        """A task set in the API's shape."""
        is_steady = self.scheduler.is_steady(task_set)
        return task_set_shape(task_set, self.whereabouts, is_steady=is_steady)


EcsOperation = Callable[[EcsContext, dict[str, Any]], Mapping[str, Any] | None]
"""What an operation does with a request."""
