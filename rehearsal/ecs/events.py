"""The events of services, in ECS's words.

Sources: docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list
.html, and the responses of DescribeServices in the reference of the AWS CLI.
"""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hookgate_rehearsal.ecs.scheduler import EcsTaskSet, Task

_KEPT = 100  # events of a service, as DescribeServices returns them
#: After this number of tasks that stopped by themselves, ECS calls a service impaired.
#: Its documentation gives no number.
_IMPAIRED_AFTER = 3


@dataclass(slots=True, kw_only=True)
class Observed:
    """What of a task set its service's events already show.

    Attributes:
        tasks: Whether a task has ended, by its id.
        wanted: The number of tasks to run.
        deaths: The number of tasks that had stopped by themselves at the last
            STEADY_STATE.
        is_steady: Whether nothing has changed since then.
        warnings: The warnings since then; ECS omits duplicates while a cause lasts.
    """

    tasks: dict[str, bool] = field(default_factory=dict)
    wanted: int = 0
    deaths: int = 0
    is_steady: bool = False
    warnings: set[str] = field(default_factory=set)

    def once(self, warning: str) -> Iterable[str]:
        """A warning, unless it is a duplicate."""
        if warning not in self.warnings:
            self.warnings.add(warning)
            yield warning


class ServiceEvents:
    """The latest events of each service, newest first."""

    def __init__(self) -> None:
        self._events: dict[tuple[str, str], deque[dict[str, Any]]] = {}

    def of(self, cluster: str, service: str) -> list[dict[str, Any]]:
        """The events of a service, in the API's shape."""
        return list(self._events.get((cluster, service), ()))

    def forget(self, cluster: str, service: str) -> None:
        """Begin anew, for a new service with the name of a deleted one."""
        self._events.pop((cluster, service), None)

    def observe(
        self,
        task_set: EcsTaskSet,
        others: Iterable[EcsTaskSet],
        is_steady: Callable[[EcsTaskSet], bool],
    ) -> None:
        """Add what has happened to a task set since the last call.

        Args:
            task_set: The task set.
            others: All task sets of its service.
            is_steady: Whether a task set is in STEADY_STATE.
        """
        observed, key = task_set.observed, (task_set.cluster, task_set.service)
        for message in self._changes(task_set, observed):
            observed.is_steady = False
            self._add(key, message)
        if observed.is_steady or task_set.status == "DRAINING":
            return
        if is_steady(task_set):
            observed.is_steady, observed.deaths = True, task_set.deaths
            observed.warnings.clear()
            subject = f"(service {task_set.service}, taskSet {task_set.id})"
            self._add(key, f"{subject} updated state to STEADY_STATE.")
            if all(o.observed.is_steady for o in others if o.status != "DRAINING"):
                message = f"(service {task_set.service}) has reached a steady state."
                self._add(key, message)

    def _changes(self, task_set: EcsTaskSet, observed: Observed) -> Iterable[str]:
        service = f"(service {task_set.service})"
        group = f"(target-group {task_set.target_group_arn})"
        known, observed.tasks = (
            observed.tasks,
            {task.id: not task.is_wanted for task in task_set.tasks},
        )
        if observed.wanted != task_set.wanted:
            observed.wanted = task_set.wanted
            count = f"computedDesiredCount for taskSet {task_set.id}"
            yield f"{service} updated {count} to {task_set.wanted}."
        fresh = [task for task in task_set.tasks if task.id not in known]
        for reason in {t.stopped_reason for t in fresh if t.started_at is None}:
            warning = f"{service} failed to launch a task with (error {reason})."
            yield from observed.once(warning)
        if started := [task for task in fresh if task.started_at is not None]:
            yield f"{service} has started {len(started)} tasks: {_list(started)}."
        if targets := [task for task in started if task.target]:
            yield f"{service} registered {len(targets)} targets in {group}"
        ended = [
            task
            for task in task_set.tasks
            if task.started_at and not task.is_wanted and not known.get(task.id)
        ]
        for task in ended:
            if task.unhealthy_reason and task.target:
                what = f"(task {task.id}) (port {task.target.port}) is unhealthy in"
                reason = task.unhealthy_reason
                yield f"{service} {what} {group} due to (reason {reason})."
        if targets := [task for task in ended if task.target]:
            yield f"{service} deregistered {len(targets)} targets in {group}"
        code = "EssentialContainerExited"
        if stopped := [task for task in ended if task.stop_code != code]:
            subject = f"(service {task_set.service}, taskSet {task_set.id})"
            yield f"{subject} has begun draining connections on {len(stopped)} tasks."
            yield (
                f"{service} has stopped {len(stopped)} running tasks: {_list(stopped)}."
            )
        if task_set.deaths - observed.deaths >= _IMPAIRED_AFTER:
            yield from observed.once(
                f"{service} is unable to consistently start tasks successfully. For "
                "more information, see the Troubleshooting section of the Amazon ECS "
                "Developer Guide."
            )

    def _add(self, key: tuple[str, str], message: str) -> None:
        event = {"id": str(uuid.uuid4()), "createdAt": time.time(), "message": message}
        self._events.setdefault(key, deque(maxlen=_KEPT)).appendleft(event)


def _list(tasks: Iterable[Task]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)
