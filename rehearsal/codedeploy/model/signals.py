"""What can happen to a deployment: the machine's inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rehearsal.codedeploy.model.deployment import Failure, TaskSet
from rehearsal.codedeploy.model.effects import Effect, Survey
from rehearsal.codedeploy.model.vocabulary import AutoRollbackEvent, WaitType


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The deployment's turn has come; a rollback inherits both task sets."""

    blue: TaskSet | None = None
    green: TaskSet | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """The moment the deployment wanted to be woken at has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """The service was read: who is blue, and which target group is free for green."""

    blue: TaskSet
    green_group: str
    effect: Survey = field(default=Survey())


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSetCreated:
    """ECS made the replacement task set."""

    green: TaskSet


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSetObserved:
    """What ECS says of the replacement task set.

    Attributes:
        is_steady: Whether ECS calls it STEADY_STATE.
        stopped: How many of its tasks have stopped by themselves.
        reason: What the last of them stopped of.
    """

    desired: int
    pending: int
    running: int
    is_steady: bool
    stopped: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An effect that answers nothing was carried out."""

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
    """Somebody called ContinueDeployment."""

    wait: WaitType


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested:
    """The deployment must stop.

    Attributes:
        failure: What ``errorInformation`` will say.
        cause: The auto rollback event that the stop counts as.
        rolls_back: Overrides what the deployment group says; None leaves it.
    """

    failure: Failure
    cause: AutoRollbackEvent
    rolls_back: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollDue:
    """It is time to look at the deployment's alarms again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsPolled:
    """How the deployment's alarms stand.

    Attributes:
        states: The state of each that there is, by name.
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
