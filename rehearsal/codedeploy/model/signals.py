"""The effects that the state machine requests, and the signals that it handles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hookgate_rehearsal.codedeploy.model.deployment import (
    AutoRollbackEvent,
    Deployment,
    DeploymentTaskSet,
    EventName,
    Failure,
    TaskSetLabel,
    WaitType,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Read the service, its task sets and its listeners."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeHook:
    """Invoke a hook's function asynchronously with the two ids."""

    event: EventName
    function: str
    execution_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearTargetGroup:
    """Remove what an earlier deployment left on the free target group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTaskSet:
    """Create the replacement task set on the free target group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveTaskSet:
    """Read whether the replacement task set is steady."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTestTraffic:
    """Forward the test listener to one of the task sets."""

    to: TaskSetLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteProductionTraffic:
    """Give green a percentage of production traffic and blue the rest."""

    green_weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MakePrimary:
    """Make one of the task sets PRIMARY."""

    label: TaskSetLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTaskSet:
    """Drain and delete one of the task sets."""

    label: TaskSetLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class PollAlarms:
    """Read the states of the deployment's alarms."""

    names: tuple[str, ...]


Effect = (
    Survey
    | InvokeHook
    | ClearTargetGroup
    | CreateTaskSet
    | ObserveTaskSet
    | RouteTestTraffic
    | RouteProductionTraffic
    | MakePrimary
    | DeleteTaskSet
    | PollAlarms
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The deployment can start; a rollback inherits both task sets."""

    blue: DeploymentTaskSet | None = None
    green: DeploymentTaskSet | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """The time ``wake_at`` is reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """The service was read: blue, and the target group that is free for green."""

    blue: DeploymentTaskSet
    green_group: str
    effect: Survey = field(default=Survey())


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSetCreated:
    """ECS created the replacement task set."""

    green: DeploymentTaskSet


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSetObserved:
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
class Done:
    """An effect without a result was carried out."""

    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An effect could not be carried out."""

    effect: Effect
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A hook's function called PutLifecycleEventHookExecutionStatus."""

    execution_id: str
    succeeded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Continued:
    """A client called ContinueDeployment."""

    wait: WaitType


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested:
    """The deployment must stop.

    Attributes:
        failure: The deployment's ``errorInformation``.
        cause: The auto rollback event that the stop counts as.
        rolls_back: Overrides the deployment group; None does not.
    """

    failure: Failure
    cause: AutoRollbackEvent
    rolls_back: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollDue:
    """It is time to poll the deployment's alarms again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsPolled:
    """The states of the deployment's alarms.

    Attributes:
        states: The state of each existing alarm, by name.
    """

    states: Mapping[str, str]


Signal = (
    Begun
    | TimePassed
    | Surveyed
    | TaskSetCreated
    | TaskSetObserved
    | Done
    | Refused
    | Reported
    | Continued
    | StopRequested
    | PollDue
    | AlarmsPolled
)


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
                blue=_weighted(deployment.blue, 100.0 - weight),
                green=_weighted(deployment.green, weight),
            )
        case MakePrimary():
            is_green = effect.label is TaskSetLabel.GREEN
            return replace(
                deployment,
                blue=_called(deployment.blue, "ACTIVE" if is_green else "PRIMARY"),
                green=_called(deployment.green, "PRIMARY" if is_green else "ACTIVE"),
            )
        case DeleteTaskSet(label=TaskSetLabel.BLUE):
            return replace(deployment, blue=_called(deployment.blue, "DRAINING"))
        case DeleteTaskSet():
            return replace(deployment, green=_called(deployment.green, "DRAINING"))
    return deployment


def _weighted(
    task_set: DeploymentTaskSet | None, weight: float
) -> DeploymentTaskSet | None:
    return task_set and replace(task_set, weight=weight)


def _called(
    task_set: DeploymentTaskSet | None, status: str
) -> DeploymentTaskSet | None:
    return task_set and replace(task_set, status=status)
