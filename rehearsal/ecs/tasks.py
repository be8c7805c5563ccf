"""ListTasks, DescribeTasks and StopTask of the tasks that really run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.ecs.context import EcsContext, EcsOperation, task_shape
from rehearsal.ecs.records import Task, TaskSet, last_part
from rehearsal.endpoint.conformity import ApiError, BadTokenError, page

PAGE = 100  # the most tasks of one answer, and of one question


def _list_all(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    cluster = last_part(request.get("cluster", "default"))
    service, family = request.get("serviceName"), request.get("family")
    status = request.get("desiredStatus", "RUNNING")
    found = [
        task.arn
        for task_set, task in _all(context, cluster)
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


def _describe(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    known = {
        task.id: task_shape(task, task_set, context.location)
        for task_set, task in _all(
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


def _stop(context: EcsContext, request: dict[str, Any]) -> dict[str, Any]:
    cluster = last_part(request.get("cluster", "default"))
    for task_set, task in _all(context, cluster):
        if task.id == last_part(request["task"]):
            reason = request.get("reason", "Task stopped by user")
            context.scheduler.stop_task(task_set, task, reason)
            return {"task": task_shape(task, task_set, context.location)}
    message = f"There is no task {request['task']} in the cluster {cluster}."
    raise ApiError("InvalidParameterException", message)


def _all(context: EcsContext, cluster: str) -> Iterator[tuple[TaskSet, Task]]:
    for task_set in context.scheduler.task_sets:
        if task_set.cluster == cluster:
            for task in task_set.tasks:
                yield task_set, task


OPERATIONS: Mapping[str, EcsOperation] = {
    "ListTasks": _list_all,
    "DescribeTasks": _describe,
    "StopTask": _stop,
}
