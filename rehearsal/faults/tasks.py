"""Tasks of a version that does not run as its task definition says."""

from __future__ import annotations

from collections import Counter
from functools import partial

from rehearsal.data_plane import DataPlane, Target
from rehearsal.ecs.records import Task
from rehearsal.faults.faults import Faults
from rehearsal.faults.targets import Doorkeeper, delay, image, passes


class FaultyTasks:
    """Gives a version's tasks other images, and doors that misbehave.

    A fault of so many tasks strikes the first that the version starts: one that is
    replaced is replaced by a good one.

    Args:
        faults: what is ordered.
        plane: where doors are opened.
    """

    def __init__(self, faults: Faults, plane: DataPlane) -> None:
        self._faults = faults
        self._plane = plane
        self._started: Counter[str] = Counter()
        self._numbers: dict[str, int] = {}

    def image(self, task: Task, image_: str) -> str:
        """The image that a task runs."""
        ordered = self._faults.of_version(task.task_definition_arn)
        return (
            image_ if ordered is None else image(ordered, self._number(task)) or image_
        )

    def target(self, task: Task, target: Target) -> Target:
        """What is registered for a task that listens at a target."""
        ordered = self._faults.of_version(task.task_definition_arn)
        if ordered is None:
            return target
        number = self._number(task)
        found, late = passes(ordered, number), delay(ordered, number)
        if not found and not late:
            return target
        return self._plane.open_door(target, partial(Doorkeeper, faults=found), late)

    def _number(self, task: Task) -> int:
        """Which of its version's tasks it is; called from the scheduler's thread."""
        if task.arn not in self._numbers:
            self._numbers[task.arn] = self._started[task.task_definition_arn]
            self._started[task.task_definition_arn] += 1
        return self._numbers[task.arn]
