"""``use: service``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field

from hookgate import CannotMeasure, DeploymentContext, Finding, Tools, Validator, known
from hookgate.codes import Code
from hookgate.validator import Every, Within

_Task = Mapping[str, Any]

#: One call to AWS with its retries, in seconds.
_CALL = 10.0
#: DescribeTasks takes no more (its documented quota).
_MOST = 100
_SHOWN = 3


class Service(Validator):
    """Is the replacement task set in STEADY_STATE, with no stopped task?

    In STEADY_STATE all tasks run and none is pending. ECS describes stopped tasks for
    an hour: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskSet.html and
    docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html

    Example:
        - use: service
          with:
            within: 5m
            stable_for: 30s
    """

    needs_aws: ClassVar[bool] = True
    permissions: ClassVar[tuple[str, ...]] = (
        "ecs:DescribeServices",
        "ecs:DescribeTasks",
        "ecs:ListTasks",
    )

    stopped_tasks: int = Field(
        0,
        ge=0,
        description="Maximum number of tasks of the task set that may have stopped.",
    )
    within: Within = 300.0
    every: Every = 5.0

    def worst_case(self) -> float:
        """Three calls."""
        return 3 * _CALL

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Check the state of the task set, and which of its tasks stopped."""
        deployment = known(context.deployment, "the deployment")
        green = known(context.green, "the replacement")
        task_set = known(green.task_set, "the replacement task set").id
        cluster, service = deployment.cluster, deployment.service
        yield _steady(_task_set(tools, cluster, service, task_set))
        count, stopped = _stopped(tools, cluster, task_set)
        reasons = [_why(each) for each in stopped]
        allowed = f", {self.stopped_tasks} allowed" if self.stopped_tasks else ""
        shown = f": {'; '.join(reasons[:_SHOWN])}" if reasons else ""
        yield Finding(
            ok=count <= self.stopped_tasks,
            summary=f"{count} tasks stopped{allowed}{shown}",
            evidence={"stopped": reasons},
            certain=count > self.stopped_tasks,
            code=Code.SERVICE_STOPPED,
        )


def _task_set(
    tools: Tools, cluster: str, service: str, task_set: str
) -> Mapping[str, Any]:
    answer = tools.aws("ecs", "describe_services", cluster=cluster, services=[service])
    for found in answer.get("services", ()):
        for each in found.get("taskSets", ()):
            if each["id"] == task_set:
                return dict(each)
    raise CannotMeasure(
        f"the ECS service {service} has no task set {task_set} any more",
        code=Code.DISCOVERY_TASK_SET,
    )


def _steady(task_set: Mapping[str, Any]) -> Finding:
    desired = task_set.get("computedDesiredCount", 0)
    running, pending = task_set.get("runningCount", 0), task_set.get("pendingCount", 0)
    state = task_set.get("stabilityStatus", "unknown")
    return Finding(
        ok=state == "STEADY_STATE" and running == desired > 0 and pending == 0,
        summary=f"{running} of {desired} tasks run, {pending} are pending, {state}",
        evidence={"running": running, "desired": desired, "pending": pending},
        code=Code.SERVICE_STEADY,
    )


def _stopped(tools: Tools, cluster: str, task_set: str) -> tuple[int, list[_Task]]:
    """The number of stopped tasks, and those of one page that ECS still describes."""
    found = tools.aws(
        "ecs",
        "list_tasks",
        cluster=cluster,
        startedBy=task_set,
        desiredStatus="STOPPED",
    )["taskArns"]
    if not found:
        return 0, []
    answer = tools.aws("ecs", "describe_tasks", cluster=cluster, tasks=found[:_MOST])
    return len(found), list(answer["tasks"])


def _why(task: _Task) -> str:
    """Why a task stopped, with the exit codes of its containers."""
    ends = []
    for each in task.get("containers", ()):
        parts = [f"exit code {each['exitCode']}"] if "exitCode" in each else []
        if each.get("reason"):
            parts.append(str(each["reason"]))
        if "OutOfMemory" in str(each.get("reason", "")) or each.get("exitCode") == 137:
            parts.append("out of memory, or killed")
        if parts:
            ends.append(f"{each['name']} {', '.join(parts)}")
    name = str(task["taskArn"]).rpartition("/")[2]
    reason = task.get("stoppedReason") or task.get("stopCode") or "no reason given"
    return f"{name}: {reason}" + (f" ({'; '.join(ends)})" if ends else "")
