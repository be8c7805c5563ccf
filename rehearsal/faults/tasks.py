"""Faults of a version's tasks: other images, and proxies in front of them."""

from __future__ import annotations

from collections import Counter
from functools import partial

from rehearsal.data_plane import DataPlane, Target
from rehearsal.ecs.records import Task
from rehearsal.faults.faults import Faults
from rehearsal.faults.targets import FaultyRouting, delay, image, request_faults


class FaultyTasks:
    """Gives a version's tasks other images, and proxies with faults.

    A fault of N tasks affects the first N that the version starts; the replacement of
    such a task has no fault.

    Args:
        faults: the configured faults.
        plane: opens the proxies.
    """

    def __init__(self, faults: Faults, plane: DataPlane) -> None:
        self._faults = faults
        self._plane = plane
        self._started: Counter[str] = Counter()
        self._numbers: dict[str, int] = {}

    def image(self, task: Task, image_: str) -> str:
        """The image that a task runs."""
        configured = self._faults.of_version(task.task_definition_arn)
        return (
            image_
            if configured is None
            else image(configured, self._number(task)) or image_
        )

    def target(self, task: Task, target: Target) -> Target:
        """The target to register for a task that listens at ``target``."""
        configured = self._faults.of_version(task.task_definition_arn)
        if configured is None:
            return target
        number = self._number(task)
        found = request_faults(configured, number)
        late = delay(configured, number)
        if not found and not late:
            return target
        routing = partial(FaultyRouting, faults=found)
        return self._plane.open_target_proxy(target, routing, late)

    def _number(self, task: Task) -> int:
        """The task's index in its version; called from the scheduler's thread."""
        if task.arn not in self._numbers:
            self._numbers[task.arn] = self._started[task.task_definition_arn]
            self._started[task.task_definition_arn] += 1
        return self._numbers[task.arn]
