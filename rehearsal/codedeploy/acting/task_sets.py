"""What CodeDeploy does in ECS."""

from __future__ import annotations

from typing import Any

from rehearsal.codedeploy.acting.listeners import ActingError
from rehearsal.codedeploy.model.deployment import (
    Deployment,
    ErrorCode,
    TaskSet,
    TaskSetLabel,
)
from rehearsal.codedeploy.model.signals import (
    Surveyed,
    TaskSetCreated,
    TaskSetObserved,
)

MOST_TASKS = 100


class TaskSets:
    """Reads services, makes and deletes task sets.

    Args:
        ecs: A boto3 client.
        elbv2: A boto3 client; ECS gives target groups by ARN, CodeDeploy by name.
    """

    def __init__(self, ecs: Any, elbv2: Any) -> None:
        self._ecs = ecs
        self._elbv2 = elbv2

    def survey(self, deployment: Deployment) -> Surveyed:
        """Find the PRIMARY task set, which is blue, and the group free for green."""
        order = deployment.order
        service = self._service(deployment)
        found = [each for each in service["taskSets"] if each["status"] == "PRIMARY"]
        if len(found) != 1:
            message = f"The ECS service {order.service.name} has no PRIMARY task set."
            raise ActingError(ErrorCode.INVALID_ECS_SERVICE, message)
        groups = self._groups(deployment)
        names = {group["TargetGroupArn"]: name for name, group in groups.items()}
        arn = found[0]["loadBalancers"][0]["targetGroupArn"]
        if arn not in names:
            message = (
                f"The PRIMARY task set of {order.service.name} is behind {arn}, which "
                f"is none of the deployment group's: {', '.join(sorted(groups))}."
            )
            raise ActingError(ErrorCode.INVALID_ECS_SERVICE, message)
        (free,) = set(groups) - {names[arn]}
        blue = _task_set(found[0], TaskSetLabel.BLUE, names[arn], weight=100.0)
        return Surveyed(blue=blue, green_group=free)

    def clear(self, deployment: Deployment) -> None:
        """Delete what an earlier deployment left on the replacement's target group."""
        assert deployment.green_group is not None  # noqa: S101 - the survey comes before
        arn = self._groups(deployment)[deployment.green_group]["TargetGroupArn"]
        service = deployment.order.service
        for each in self._service(deployment)["taskSets"]:
            groups = [one["targetGroupArn"] for one in each["loadBalancers"]]
            if each["status"] == "ACTIVE" and arn in groups:
                self._ecs.delete_task_set(
                    cluster=service.cluster,
                    service=service.name,
                    taskSet=each["taskSetArn"],
                )

    def create(self, deployment: Deployment) -> TaskSetCreated:
        """Make the replacement, as the AppSpec and the original say."""
        order, blue = deployment.order, deployment.blue
        assert blue is not None  # noqa: S101 - the survey comes before
        assert deployment.green_group is not None  # noqa: S101 - as above
        spec = order.app_spec
        group = self._groups(deployment)[deployment.green_group]
        original = self._describe(deployment, blue.arn)
        kept = ("launchType", "platformVersion", "networkConfiguration")
        options = {name: original[name] for name in kept if original.get(name)}
        if "capacityProviderStrategy" in spec.task_set_options:
            options.pop("launchType", None)
        made = self._ecs.create_task_set(
            cluster=order.service.cluster,
            service=order.service.name,
            externalId=deployment.id,
            taskDefinition=spec.task_definition,
            loadBalancers=[
                {
                    "targetGroupArn": group["TargetGroupArn"],
                    "containerName": spec.container_name,
                    "containerPort": spec.container_port,
                }
            ],
            scale={"value": 100.0, "unit": "PERCENT"},
            **{**options, **spec.task_set_options},
        )["taskSet"]
        green = _task_set(made, TaskSetLabel.GREEN, deployment.green_group)
        return TaskSetCreated(green=green)

    def observe(self, deployment: Deployment) -> TaskSetObserved:
        """Look at the replacement, and at which of its tasks have stopped."""
        assert deployment.green is not None  # noqa: S101 - it was created before
        seen = self._describe(deployment, deployment.green.arn)
        stopped = self._stopped(deployment)
        reasons = [task.get("stoppedReason", "") for task in stopped]
        return TaskSetObserved(
            desired=seen["computedDesiredCount"],
            pending=seen["pendingCount"],
            running=seen["runningCount"],
            is_steady=seen["stabilityStatus"] == "STEADY_STATE",
            stopped=len(stopped),
            reason=reasons[-1] if reasons else "",
        )

    def make_primary(self, deployment: Deployment, label: TaskSetLabel) -> None:
        """Call a task set PRIMARY."""
        service = deployment.order.service
        task_set = deployment.task_set(label)
        assert task_set is not None  # noqa: S101 - the machine asks for known ones only
        self._ecs.update_service_primary_task_set(
            cluster=service.cluster, service=service.name, primaryTaskSet=task_set.arn
        )

    def delete(self, deployment: Deployment, label: TaskSetLabel) -> None:
        """Drain and delete a task set."""
        service = deployment.order.service
        task_set = deployment.task_set(label)
        assert task_set is not None  # noqa: S101 - the machine asks for known ones only
        self._ecs.delete_task_set(
            cluster=service.cluster, service=service.name, taskSet=task_set.arn
        )

    def _service(self, deployment: Deployment) -> dict[str, Any]:
        service = deployment.order.service
        found = self._ecs.describe_services(
            cluster=service.cluster, services=[service.name]
        )["services"]
        if not found:
            message = f"There is no ECS service {service.target_id}."
            raise ActingError(ErrorCode.INVALID_ECS_SERVICE, message)
        controller = found[0].get("deploymentController", {}).get("type")
        if controller != "CODE_DEPLOY":
            message = (
                f"The ECS service {service.name} has the deployment controller "
                f"{controller}; CodeDeploy deploys those with CODE_DEPLOY."
            )
            raise ActingError(ErrorCode.INVALID_ECS_SERVICE, message)
        return dict(found[0])

    def _groups(self, deployment: Deployment) -> dict[str, dict[str, Any]]:
        names = list(deployment.order.routes.target_groups)
        found = self._elbv2.describe_target_groups(Names=names)["TargetGroups"]
        return {group["TargetGroupName"]: group for group in found}

    def _describe(self, deployment: Deployment, arn: str) -> dict[str, Any]:
        service = deployment.order.service
        found = self._ecs.describe_task_sets(
            cluster=service.cluster, service=service.name, taskSets=[arn]
        )["taskSets"]
        if not found:
            message = f"The task set {arn} is gone."
            raise ActingError(ErrorCode.ECS_UPDATE_ERROR, message)
        return dict(found[0])

    def _stopped(self, deployment: Deployment) -> list[dict[str, Any]]:
        service, green = deployment.order.service, deployment.green
        arns = self._ecs.list_tasks(
            cluster=service.cluster,
            serviceName=service.name,
            startedBy=green.id if green else "",
            desiredStatus="STOPPED",
        )["taskArns"][-MOST_TASKS:]
        if not arns:
            return []
        tasks = self._ecs.describe_tasks(cluster=service.cluster, tasks=arns)["tasks"]
        return list(tasks)


def _task_set(
    found: dict[str, Any], label: TaskSetLabel, group: str, weight: float = 0.0
) -> TaskSet:
    return TaskSet(
        label=label,
        arn=found["taskSetArn"],
        target_group=group,
        task_definition=found["taskDefinition"],
        status=found["status"],
        weight=weight,
        desired=found["computedDesiredCount"],
        pending=found["pendingCount"],
        running=found["runningCount"],
    )
