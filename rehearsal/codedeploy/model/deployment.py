"""A deployment as it stands: immutable, replaced at every move."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace

from rehearsal.codedeploy.model.order import Order
from rehearsal.codedeploy.model.vocabulary import (
    DeploymentStatus,
    ErrorCode,
    EventName,
    EventStatus,
    LifecycleErrorCode,
    TaskSetLabel,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something failed, as ``errorInformation`` says it."""

    code: ErrorCode
    message: str
    diagnosis: LifecycleErrorCode = LifecycleErrorCode.UNKNOWN_ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One lifecycle event with its times, in epoch seconds."""

    name: EventName
    status: EventStatus = EventStatus.PENDING
    started_at: float | None = None
    ended_at: float | None = None
    execution_id: str | None = None
    diagnosis: LifecycleErrorCode | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSet:
    """What CodeDeploy knows of one of the two task sets."""

    label: TaskSetLabel
    arn: str
    target_group: str
    task_definition: str = ""
    status: str = "ACTIVE"
    weight: float = 0.0
    desired: int = 0
    pending: int = 0
    running: int = 0

    @property
    def id(self) -> str:
        """The task set's id, ``ecs-svc/…``."""
        return "/".join(self.arn.split("/")[-2:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployment: its order, how far it has come and what it knows.

    Attributes:
        step: Index into the script of steps; -1 before the first.
        progress: How far inside the step, as the step counts.
        wake_at: When time alone moves the deployment, in epoch seconds.
        poll_at: When its alarms are looked at next; None if they are not.
        green_group: The target group that the replacement is to use.
        wants_rollback: Set at the end, when a rollback must follow.
    """

    order: Order
    status: DeploymentStatus = DeploymentStatus.CREATED
    events: tuple[Event, ...] = tuple(Event(name=name) for name in EventName)
    step: int = -1
    progress: int = 0
    wake_at: float | None = None
    poll_at: float | None = None
    error: Failure | None = None
    started_at: float | None = None
    completed_at: float | None = None
    target_status: EventStatus = EventStatus.PENDING
    updated_at: float | None = None
    blue: TaskSet | None = None
    green: TaskSet | None = None
    green_group: str | None = None
    wants_rollback: bool = False
    rollback_id: str | None = None

    @property
    def id(self) -> str:
        """The deployment's id, ``d-…``."""
        return self.order.deployment_id

    @property
    def is_over(self) -> bool:
        """Whether the deployment has come to its end."""
        return self.status.is_over

    @property
    def due_at(self) -> float | None:
        """When something is due by time alone, in epoch seconds."""
        moments = [at for at in (self.wake_at, self.poll_at) if at is not None]
        return min(moments, default=None)

    @property
    def running_event(self) -> Event | None:
        """The lifecycle event in progress, if one is."""
        running = (e for e in self.events if e.status is EventStatus.IN_PROGRESS)
        return next(running, None)

    def event(self, name: EventName) -> Event:
        """The lifecycle event of that name."""
        return next(event for event in self.events if event.name is name)

    def task_set(self, label: TaskSetLabel) -> TaskSet | None:
        """The original (Blue) or the replacement (Green), once known."""
        return self.blue if label is TaskSetLabel.BLUE else self.green

    def execution_id(self, name: EventName) -> str:
        """The opaque id under which the hook of an event must be reported."""
        seed = f"{self.id}/{name}".encode()
        return base64.b64encode(hashlib.sha512(seed).digest()).decode()


def begin_event(deployment: Deployment, name: EventName, now: float) -> Deployment:
    """Mark an event InProgress."""
    return _put(
        deployment,
        replace(deployment.event(name), status=EventStatus.IN_PROGRESS, started_at=now),
        now,
    )


def end_event(
    deployment: Deployment,
    name: EventName,
    status: EventStatus,
    now: float,
    failure: Failure | None = None,
) -> Deployment:
    """Mark an event over, with what there is to say about it."""
    event = deployment.event(name)
    ended = replace(
        event,
        status=status,
        started_at=event.started_at if event.started_at is not None else now,
        ended_at=now,
        diagnosis=failure.diagnosis if failure else LifecycleErrorCode.SUCCESS,
        message=failure.message if failure else "",
    )
    return _put(deployment, ended, now)


def hook_begun(deployment: Deployment, name: EventName) -> Deployment:
    """Note under which id the event's hook must be reported."""
    event = replace(deployment.event(name), execution_id=deployment.execution_id(name))
    return replace(deployment, events=_with(deployment, event))


def _put(deployment: Deployment, event: Event, now: float) -> Deployment:
    return replace(deployment, events=_with(deployment, event), updated_at=now)


def _with(deployment: Deployment, event: Event) -> tuple[Event, ...]:
    return tuple(event if e.name is event.name else e for e in deployment.events)
