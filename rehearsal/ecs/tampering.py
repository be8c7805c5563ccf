"""What may be different about a task from what its definition says, for a fault."""

from __future__ import annotations

from typing import Protocol

from rehearsal.data_plane import Target
from rehearsal.ecs.records import Task


class Tampering(Protocol):
    """Asked about each task that starts; it must be quick."""

    def image(self, task: Task, image_: str) -> str:
        """The image that a task runs."""
        ...

    def target(self, task: Task, target: Target) -> Target:
        """What is registered for a task that listens at a target."""
        ...


class Untouched:
    """Every task is as its definition says."""

    def image(self, task: Task, image_: str) -> str:  # noqa: ARG002 - as the protocol has it
        """The image of the definition."""
        return image_

    def target(self, task: Task, target: Target) -> Target:  # noqa: ARG002 - as above
        """The task itself."""
        return target
