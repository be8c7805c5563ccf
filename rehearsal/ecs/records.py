"""Services, task sets and tasks as the emulator keeps them."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hookgate_rehearsal.data_plane.processes import TaskProcess
from hookgate_rehearsal.data_plane.settings import Target


@dataclass(slots=True, kw_only=True, eq=False)
class Task:
    """One task: a process for each container."""

    arn: str
    task_definition_arn: str
    containers: Mapping[str, str]
    processes: dict[str, TaskProcess] = field(default_factory=dict)
    target: Target | None = None
    status: str = "PENDING"
    is_wanted: bool = True
    created_at: float = field(default_factory=time.time)
    started_at: float | None = None
    stopping_at: float | None = None
    stopped_at: float | None = None
    stopped_reason: str | None = None
    stop_code: str | None = None

    @property
    def id(self) -> str:
        """The task's id, the last part of its ARN."""
        return self.arn.rsplit("/", 1)[-1]


@dataclass(slots=True, kw_only=True, eq=False)
class EcsTaskSet:
    """A task set: tasks of one task definition behind one target group."""

    cluster: str
    service: str
    arn: str
    definition: Mapping[str, Any]
    load_balancers: list[dict[str, Any]]
    desired: int
    status: str = "ACTIVE"
    scale: float = 100.0
    external_id: str | None = None
    started_by: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)
    created_at: float = field(default_factory=time.time)
    updated_at: float = field(default_factory=time.time)
    next_start_at: float = 0.0
    deaths: int = 0

    @property
    def id(self) -> str:
        """The task set's id, ``ecs-svc/…``."""
        return "/".join(self.arn.split("/")[-2:])

    @property
    def target_group_arn(self) -> str | None:
        """The target group its tasks register in."""
        if not self.load_balancers:
            return None
        return self.load_balancers[0].get("targetGroupArn")

    @property
    def wanted(self) -> int:
        """The number of tasks to run: its share of the service's desired count."""
        return (
            0 if self.status == "DRAINING" else round(self.desired * self.scale / 100)
        )

    def count(self, status: str) -> int:
        """Count the wanted tasks with a status."""
        return sum(task.status == status and task.is_wanted for task in self.tasks)

    @property
    def live_tasks(self) -> list[Task]:
        """The tasks that are wanted and not over."""
        return [task for task in self.tasks if task.is_wanted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Makes the ARNs of ECS."""

    region: str
    account: str

    def _arn(self, rest: str) -> str:
        return f"arn:aws:ecs:{self.region}:{self.account}:{rest}"

    def cluster(self, cluster: str) -> str:
        """A cluster's ARN."""
        return self._arn(f"cluster/{cluster}")

    def service(self, cluster: str, service: str) -> str:
        """A service's ARN."""
        return self._arn(f"service/{cluster}/{service}")

    def new_task_set(self, cluster: str, service: str) -> str:
        """The ARN of a new task set."""
        number = secrets.randbelow(9 * 10**18) + 10**18
        return self._arn(f"task-set/{cluster}/{service}/ecs-svc/{number}")

    def new_task(self, cluster: str) -> str:
        """The ARN of a new task."""
        return self._arn(f"task/{cluster}/{uuid.uuid4().hex}")


def last_part(name_or_arn: str) -> str:
    """The name in a name or an ARN of a cluster, a service or a task."""
    return name_or_arn.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsSettings:
    """Times in seconds.

    Attributes:
        steady_after: How long every task must have run for STEADY_STATE; what dies at
            its start must not look steady in between.
        drain: Most seconds for requests in flight when a task is stopped.
    """

    steady_after: float = 1.0
    drain: float = 10.0


class Tampering(Protocol):
    """Changes each task that starts; it must not block."""

    def image(self, task: Task, image_: str) -> str:
        """The image that a task runs."""
        ...

    def target(self, task: Task, target: Target) -> Target:
        """What is registered for a task that listens at a target."""
        ...
