"""What the machine asks of the world; each is answered by one signal."""

from __future__ import annotations

from dataclasses import dataclass

from rehearsal.codedeploy.model.vocabulary import EventName, TaskSetLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Read the service, its task sets and its listeners."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeHook:
    """Call a hook's function asynchronously with the two-key event."""

    event: EventName
    function: str
    execution_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearTargetGroup:
    """Take away what an earlier deployment left on the free target group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTaskSet:
    """Make the replacement task set on the free target group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveTaskSet:
    """Look whether the replacement task set is steady."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTestTraffic:
    """Let the test listener forward to one of the task sets."""

    to: TaskSetLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteProductionTraffic:
    """Give green that percentage of production traffic and blue the rest."""

    green_weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MakePrimary:
    """Call one of the task sets PRIMARY."""

    label: TaskSetLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTaskSet:
    """Drain and delete one of the task sets."""

    label: TaskSetLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class PollAlarms:
    """Ask CloudWatch how the deployment's alarms stand."""

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
