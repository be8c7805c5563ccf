"""A deployment: an immutable value that each signal replaces."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class DeploymentStatus(StrEnum):
    """The status of a deployment."""

    CREATED = "Created"
    QUEUED = "Queued"
    IN_PROGRESS = "InProgress"
    READY = "Ready"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"

    @property
    def is_over(self) -> bool:
        """Whether nothing more can happen to the deployment."""
        return self in {
            DeploymentStatus.SUCCEEDED,
            DeploymentStatus.FAILED,
            DeploymentStatus.STOPPED,
        }

    @property
    def is_started(self) -> bool:
        """Whether the deployment has a target."""
        return self not in {DeploymentStatus.CREATED, DeploymentStatus.QUEUED}


class EventName(StrEnum):
    """The eight lifecycle events of an ECS deployment, in their order."""

    BEFORE_INSTALL = "BeforeInstall"
    INSTALL = "Install"
    AFTER_INSTALL = "AfterInstall"
    ALLOW_TEST_TRAFFIC = "AllowTestTraffic"
    AFTER_ALLOW_TEST_TRAFFIC = "AfterAllowTestTraffic"
    BEFORE_ALLOW_TRAFFIC = "BeforeAllowTraffic"
    ALLOW_TRAFFIC = "AllowTraffic"
    AFTER_ALLOW_TRAFFIC = "AfterAllowTraffic"

    @property
    def is_hook(self) -> bool:
        """Whether an AppSpec may name a function for the event."""
        return self not in {
            EventName.INSTALL,
            EventName.ALLOW_TEST_TRAFFIC,
            EventName.ALLOW_TRAFFIC,
        }


class EventStatus(StrEnum):
    """The status of a lifecycle event or of the target."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    UNKNOWN = "Unknown"
    READY = "Ready"  # of a target only


class LifecycleErrorCode(StrEnum):
    """The error codes of an event's diagnostics."""

    SUCCESS = "Success"
    SCRIPT_TIMED_OUT = "ScriptTimedOut"
    SCRIPT_FAILED = "ScriptFailed"
    UNKNOWN_ERROR = "UnknownError"


class ErrorCode(StrEnum):
    """Why a deployment did not succeed; the codes that ECS deployments can have."""

    ALARM_ACTIVE = "ALARM_ACTIVE"
    ECS_UPDATE_ERROR = "ECS_UPDATE_ERROR"
    ELASTIC_LOAD_BALANCING_INVALID = "ELASTIC_LOAD_BALANCING_INVALID"
    HOOK_EXECUTION_FAILURE = "HOOK_EXECUTION_FAILURE"
    IAM_ROLE_PERMISSIONS = "IAM_ROLE_PERMISSIONS"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    INVALID_ECS_SERVICE = "INVALID_ECS_SERVICE"
    INVALID_LAMBDA_FUNCTION = "INVALID_LAMBDA_FUNCTION"
    INVALID_REVISION = "INVALID_REVISION"
    MANUAL_STOP = "MANUAL_STOP"
    TIMEOUT = "TIMEOUT"


class Creator(StrEnum):
    """The creator of a deployment."""

    USER = "user"
    ROLLBACK = "codeDeployRollback"


class AutoRollbackEvent(StrEnum):
    """The events on which a deployment group can roll back."""

    FAILURE = "DEPLOYMENT_FAILURE"
    STOP_ON_ALARM = "DEPLOYMENT_STOP_ON_ALARM"
    STOP_ON_REQUEST = "DEPLOYMENT_STOP_ON_REQUEST"


class WaitType(StrEnum):
    """Which wait ContinueDeployment ends."""

    READY = "READY_WAIT"
    TERMINATION = "TERMINATION_WAIT"


class TaskSetLabel(StrEnum):
    """Blue was there before; Green is the replacement."""

    BLUE = "Blue"
    GREEN = "Green"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The ECS service that is deployed."""

    cluster: str
    name: str

    @property
    def target_id(self) -> str:
        """The service as a deployment target, ``cluster:service``."""
        return f"{self.cluster}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The listeners' ARNs and the names of the two target groups."""

    production: str
    test: str | None
    target_groups: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedAppSpec:
    """The AppSpec of an ECS service and its hooks."""

    task_definition: str
    container_name: str
    container_port: int
    hooks: Mapping[EventName, str] = field(default_factory=dict)
    task_set_options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftStep:
    """One step of production traffic.

    Attributes:
        weight: Percent of production traffic for green.
        after: Minutes after the previous step.
    """

    weight: float
    after: float = 0.0


ALL_AT_ONCE = (ShiftStep(weight=100.0),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """The waits of a deployment group, in minutes; None is no wait."""

    ready: float | None = None
    termination: float = 0.0
    keep_blue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The settings of one deployment."""

    deployment_id: str
    application: str
    group: str
    service: Service
    routes: Routes
    app_spec: ParsedAppSpec
    revision: Mapping[str, Any]
    created_at: float
    config: str = "CodeDeployDefault.ECSAllAtOnce"
    creator: Creator = Creator.USER
    description: str | None = None
    previous_revision: Mapping[str, Any] | None = None
    shift: tuple[ShiftStep, ...] = ALL_AT_ONCE
    waits: Waits = field(default_factory=Waits)
    rolls_back_on: frozenset[AutoRollbackEvent] = frozenset()
    alarms: tuple[str, ...] = ()
    ignores_poll_failure: bool = False
    rollback_of: str | None = None
    group_settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_gradual(self) -> bool:
        """Whether production traffic moves in more than one step."""
        return len(self.shift) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something failed, as in ``errorInformation``."""

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
class DeploymentTaskSet:
    """One of the two task sets of a deployment."""

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
    """A deployment: its order, its progress and its task sets.

    Attributes:
        step: Index into the script of steps; -1 before the first.
        progress: The position inside the step.
        wake_at: When time alone advances the deployment, in epoch seconds.
        poll_at: When its alarms are polled next; None if they are not.
        green_group: The target group of the replacement.
        wants_rollback: Whether a rollback must follow.
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
    blue: DeploymentTaskSet | None = None
    green: DeploymentTaskSet | None = None
    green_group: str | None = None
    wants_rollback: bool = False
    rollback_id: str | None = None

    @property
    def id(self) -> str:
        """The deployment's id, ``d-…``."""
        return self.order.deployment_id

    @property
    def is_over(self) -> bool:
        """Whether the deployment is over."""
        return self.status.is_over

    @property
    def due_at(self) -> float | None:
        """When the deployment is due by time alone, in epoch seconds."""
        moments = [at for at in (self.wake_at, self.poll_at) if at is not None]
        return min(moments, default=None)

    @property
    def running_event(self) -> Event | None:
        """The lifecycle event in progress, if any."""
        running = (e for e in self.events if e.status is EventStatus.IN_PROGRESS)
        return next(running, None)

    def is_running(self, name: EventName) -> bool:
        """Whether the lifecycle event of that name is in progress."""
        return self.event(name).status is EventStatus.IN_PROGRESS

    def event(self, name: EventName) -> Event:
        """The lifecycle event of that name."""
        return next(event for event in self.events if event.name is name)

    def task_set(self, label: TaskSetLabel) -> DeploymentTaskSet | None:
        """The original (Blue) or the replacement (Green), once known."""
        return self.blue if label is TaskSetLabel.BLUE else self.green

    def execution_id(self, name: EventName) -> str:
        """The opaque id of the hook execution of an event."""
        seed = f"{self.id}/{name}".encode()
        return base64.b64encode(hashlib.sha512(seed).digest()).decode()

    def with_event(self, name: EventName, now: float, **changes: Any) -> Deployment:
        """Change an event."""
        events = tuple(
            replace(each, **changes) if each.name is name else each
            for each in self.events
        )
        return replace(self, events=events, updated_at=now)

    def end_event(
        self,
        name: EventName,
        status: EventStatus,
        now: float,
        failure: Failure | None = None,
    ) -> Deployment:
        """End an event, with its diagnostics."""
        started_at = self.event(name).started_at
        return self.with_event(
            name,
            now,
            status=status,
            started_at=now if started_at is None else started_at,
            ended_at=now,
            diagnosis=failure.diagnosis if failure else LifecycleErrorCode.SUCCESS,
            message=failure.message if failure else "",
        )


def rollback_order(deployment: Deployment, deployment_id: str, now: float) -> Order:
    """The order for the rollback of a deployment.

    A captured rollback used ECSAllAtOnce whatever its group specified, made no new
    task set, drained the replacement and had no waits. Another, of a deployment that an
    alarm had stopped, Succeeded while the alarm was still in ALARM.
    """
    order = deployment.order
    return replace(
        order,
        deployment_id=deployment_id,
        created_at=now,
        creator=Creator.ROLLBACK,
        config="CodeDeployDefault.ECSAllAtOnce",
        revision=order.previous_revision or order.revision,
        shift=ALL_AT_ONCE,
        waits=Waits(),
        rolls_back_on=frozenset(),
        alarms=(),
        rollback_of=order.deployment_id,
        description=None,
    )


ALL = 100.0


def schedule(routing: Mapping[str, Any]) -> tuple[ShiftStep, ...]:
    """The steps of a ``trafficRoutingConfig``, ending with all of the traffic.

    Args:
        routing: As GetDeploymentConfig gives it; intervals in minutes.
    """
    match routing["type"]:
        case "TimeBasedCanary":
            canary = routing["timeBasedCanary"]
            return (
                ShiftStep(weight=float(canary["canaryPercentage"])),
                ShiftStep(weight=ALL, after=float(canary["canaryInterval"])),
            )
        case "TimeBasedLinear":
            linear = routing["timeBasedLinear"]
            return _linear(
                float(linear["linearPercentage"]), float(linear["linearInterval"])
            )
    return ALL_AT_ONCE


def _linear(percentage: float, interval: float) -> tuple[ShiftStep, ...]:
    steps = [ShiftStep(weight=min(ALL, percentage))]
    while steps[-1].weight < ALL:
        weight = min(ALL, steps[-1].weight + percentage)
        steps.append(ShiftStep(weight=weight, after=interval))
    return tuple(steps)
