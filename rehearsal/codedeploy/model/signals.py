"""The effects that the state machine requests, and the signals that it handles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from hookgate_rehearsal.codedeploy.model.deployment import (
    AutoRollbackEvent,
    Deployment,
    DeploymentTaskSet,
    ErrorCode,
    EventName,
    Failure,
    TaskSetLabel,
    WaitType,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What is done in AWS.

    Attributes:
        service: The service, as CodeDeploy's messages name it.
        code: The error code if it fails, unless an assumption sets another.
    """

    service: ClassVar[str] = "AmazonECS"
    code: ClassVar[ErrorCode] = ErrorCode.ECS_UPDATE_ERROR


class Survey(Effect):
    """Read the service, its task sets and its listeners."""

    code = ErrorCode.INVALID_ECS_SERVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeHook(Effect):
    """Invoke a hook's function asynchronously with the two ids."""

    service = "AWSLambda"

    event: EventName
    function: str
    execution_id: str


class ClearTargetGroup(Effect):
    """Remove what an earlier deployment left on the free target group."""


class CreateTaskSet(Effect):
    """Create the replacement task set on the free target group."""


class ObserveTaskSet(Effect):
    """Read whether the replacement task set is steady."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTestTraffic(Effect):
    """Forward the test listener to one of the task sets."""

    service = "AmazonElasticLoadBalancing"
    code = ErrorCode.ELASTIC_LOAD_BALANCING_INVALID

    to: TaskSetLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteProductionTraffic(Effect):
    """Give green a percentage of production traffic and blue the rest."""

    service = "AmazonElasticLoadBalancing"
    code = ErrorCode.ELASTIC_LOAD_BALANCING_INVALID

    green_weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MakePrimary(Effect):
    """Make one of the task sets PRIMARY."""

    label: TaskSetLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTaskSet(Effect):
    """Drain and delete one of the task sets."""

    label: TaskSetLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class PollAlarms(Effect):
    """Read the states of the deployment's alarms."""

    service = "AmazonCloudWatch"

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun(Signal):
    """The deployment can start; a rollback inherits both task sets."""

    blue: DeploymentTaskSet | None = None
    green: DeploymentTaskSet | None = None


class TimePassed(Signal):
    """The time ``wake_at`` is reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed(Signal):
    """The service was read: blue, and the target group that is free for green."""

    blue: DeploymentTaskSet
    green_group: str
    effect: Survey = field(default=Survey())


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSetCreated(Signal):
    """ECS created the replacement task set."""

    green: DeploymentTaskSet


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSetObserved(Signal):
    """The state of the replacement task set.

    Attributes:
        is_steady: Whether it is in STEADY_STATE.
        stopped: The number of its tasks that stopped by themselves.
        reason: Why the last of them stopped.
    """

    desired: int
    pending: int
    running: int
    is_steady: bool
    stopped: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Signal):
    """An effect without a result was carried out."""

    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Signal):
    """An effect could not be carried out."""

    effect: Effect
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported(Signal):
    """A hook's function called PutLifecycleEventHookExecutionStatus."""

    execution_id: str
    succeeded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Continued(Signal):
    """A client called ContinueDeployment."""

    wait: WaitType


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested(Signal):
    """The deployment must stop.

    Attributes:
        failure: The deployment's ``errorInformation``.
        cause: The auto rollback event that the stop counts as.
        rolls_back: Overrides the deployment group; None does not.
    """

    failure: Failure
    cause: AutoRollbackEvent
    rolls_back: bool | None = None


class PollDue(Signal):
    """It is time to poll the deployment's alarms again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsPolled(Signal):
    """The states of the deployment's alarms.

    Attributes:
        states: The state of each existing alarm, by name.
    """

    states: Mapping[str, str]


def learn(deployment: Deployment, signal: Signal) -> Deployment:
    """Update the two task sets from a signal."""
    match signal:
        case Begun():
            return replace(deployment, blue=signal.blue, green=signal.green)
        case Surveyed():
            return replace(deployment, blue=signal.blue, green_group=signal.green_group)
        case TaskSetCreated():
            return replace(deployment, green=signal.green)
        case TaskSetObserved() if deployment.green is not None:
            green = replace(
                deployment.green,
                desired=signal.desired,
                pending=signal.pending,
                running=signal.running,
            )
            return replace(deployment, green=green)
        case Done():
            return _done(deployment, signal.effect)
    return deployment


def _done(deployment: Deployment, effect: Effect) -> Deployment:
    match effect:
        case RouteProductionTraffic():
            weight = effect.green_weight
            return replace(
                deployment,
                blue=_with(deployment.blue, weight=100.0 - weight),
                green=_with(deployment.green, weight=weight),
            )
        case MakePrimary(label=TaskSetLabel.GREEN):
            blue, green = "ACTIVE", "PRIMARY"
        case MakePrimary():
            blue, green = "PRIMARY", "ACTIVE"
        case DeleteTaskSet(label=TaskSetLabel.BLUE):
            return replace(deployment, blue=_with(deployment.blue, status="DRAINING"))
        case DeleteTaskSet():
            return replace(deployment, green=_with(deployment.green, status="DRAINING"))
        case _:
            return deployment
    return replace(
        deployment,
        blue=_with(deployment.blue, status=blue),
        green=_with(deployment.green, status=green),
    )


def _with(
    task_set: DeploymentTaskSet | None, **changes: Any
) -> DeploymentTaskSet | None:
    return task_set and replace(task_set, **changes)
