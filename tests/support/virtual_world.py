"""A world without processes and a clock that is wound by hand, for the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hookgate_rehearsal.codedeploy.engine import Change, Engine
from hookgate_rehearsal.codedeploy.model.deployment import (
    AutoRollbackEvent,
    Deployment,
    DeploymentTaskSet,
    ErrorCode,
    EventName,
    Failure,
    Order,
    ParsedAppSpec,
    Routes,
    Service,
    TaskSetLabel,
)
from hookgate_rehearsal.codedeploy.model.signals import (
    AlarmsPolled,
    CreateTaskSet,
    DeleteTaskSet,
    Done,
    Effect,
    InvokeHook,
    MakePrimary,
    ObserveTaskSet,
    PollAlarms,
    Refused,
    Reported,
    RouteProductionTraffic,
    RouteTestTraffic,
    Signal,
    Survey,
    Surveyed,
    TaskSetCreated,
    TaskSetObserved,
)
from hookgate_rehearsal.codedeploy.settings import EngineSettings

START = 1_700_000_000.0
SILENT = "silent"
REFUSES = "refuses"
HOOKS = {name: f"CodeDeployHook_{name}" for name in EventName if name.is_hook}
ROLLS_BACK = frozenset({AutoRollbackEvent.FAILURE})


@dataclass
class WoundClock:
    """A clock that stands still until it is wound."""

    time: float = START

    def __call__(self) -> float:
        return self.time


@dataclass
class VirtualWorld:
    """Keeps what the real world would: who gets which traffic, which task sets are."""

    answers: Mapping[EventName, str] = field(default_factory=dict)
    is_steady: bool = True
    stopped: int = 0
    refuses: tuple[type[Any], ...] = ()
    test_listener: TaskSetLabel = TaskSetLabel.BLUE
    green_weight: float = 0.0
    primary: TaskSetLabel = TaskSetLabel.BLUE
    task_sets: set[TaskSetLabel] = field(default_factory=lambda: {TaskSetLabel.BLUE})
    alarms: dict[str, str] = field(default_factory=dict)
    invoked: list[EventName] = field(default_factory=list)
    report: Callable[[str, Signal], object] = lambda _id, _signal: None
    on_effect: Callable[[Deployment, Effect], None] = lambda _deployment, _effect: None

    def carry_out(self, deployment: Deployment, effect: Effect) -> Signal:  # noqa: C901 - one case for each effect
        self.on_effect(deployment, effect)
        if isinstance(effect, self.refuses):
            failure = Failure(code=ErrorCode.ECS_UPDATE_ERROR, message="refused")
            return Refused(effect=effect, failure=failure)
        if isinstance(effect, PollAlarms):
            return AlarmsPolled(states=dict(self.alarms))
        match effect:
            case Survey():
                return Surveyed(blue=task_set(TaskSetLabel.BLUE), green_group="group-2")
            case CreateTaskSet():
                self.task_sets.add(TaskSetLabel.GREEN)
                return TaskSetCreated(green=task_set(TaskSetLabel.GREEN))
            case ObserveTaskSet():
                return TaskSetObserved(
                    desired=2,
                    pending=0,
                    running=2,
                    is_steady=self.is_steady,
                    stopped=self.stopped,
                    reason="it fell over",
                )
            case InvokeHook():
                return self._invoke(deployment, effect)
            case RouteTestTraffic():
                self.test_listener = effect.to
            case RouteProductionTraffic():
                self.green_weight = effect.green_weight
            case MakePrimary():
                self.primary = effect.label
            case DeleteTaskSet():
                self.task_sets.discard(effect.label)
        return Done(effect=effect)

    def _invoke(self, deployment: Deployment, effect: InvokeHook) -> Signal:
        self.invoked.append(effect.event)
        answer = self.answers.get(effect.event, "Succeeded")
        if answer == REFUSES:
            failure = Failure(
                code=ErrorCode.HOOK_EXECUTION_FAILURE, message="no such function"
            )
            return Refused(effect=effect, failure=failure)
        if answer != SILENT:
            reported = Reported(
                execution_id=effect.execution_id, succeeded=answer == "Succeeded"
            )
            self.report(deployment.id, reported)
        return Done(effect=effect)


def task_set(label: TaskSetLabel) -> DeploymentTaskSet:
    """Blue or green in its initial state."""
    is_blue = label is TaskSetLabel.BLUE
    return DeploymentTaskSet(
        label=label,
        arn=f"arn:aws:ecs:us-east-1:123456789012:task-set/c/s/ecs-svc/{label}",
        target_group="group-1" if is_blue else "group-2",
        status="PRIMARY" if is_blue else "ACTIVE",
        weight=100.0 if is_blue else 0.0,
    )


def order(deployment_id: str = "d-AAAAAAAAA", **changes: Any) -> Order:
    """An order with a hook at every event, a test listener and rollback on failure."""
    usual = Order(
        deployment_id=deployment_id,
        application="shop",
        group="live",
        service=Service(cluster="main", name="shop"),
        routes=Routes(
            production="arn:production",
            test="arn:test",
            target_groups=("group-1", "group-2"),
        ),
        app_spec=ParsedAppSpec(
            task_definition="shop:2",
            container_name="web",
            container_port=80,
            hooks=HOOKS,
        ),
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"sha256": "x"}},
        created_at=START,
        rolls_back_on=ROLLS_BACK,
    )
    return replace(usual, **changes)


@dataclass
class Simulation:
    """An engine with a virtual world, which runs until nothing more happens."""

    world: VirtualWorld = field(default_factory=VirtualWorld)
    settings: EngineSettings = field(default_factory=EngineSettings)
    clock: WoundClock = field(default_factory=WoundClock)
    changes: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        ids = (f"d-{number:09d}" for number in range(1_000_000))
        self.engine = Engine(
            self.world.carry_out,
            self.clock,
            self.settings,
            self.changes.append,
            ids.__next__,
        )
        self.world.report = self.engine.signal

    def submit(self, **changes: Any) -> str:
        """Create a deployment; returns its id."""
        return self.engine.submit(lambda new_id: order(new_id, **changes)).id

    def deployment(self, deployment_id: str) -> Deployment:
        """The deployment as it stands."""
        found = self.engine.get(deployment_id)
        assert found is not None
        return found

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Turn and wind until all is over, or until ``until`` holds."""
        for _ in range(100_000):
            if until():
                return
            ids = [deployment.id for deployment in self.engine.deployments()]
            if any(self.engine.turn(each) for each in ids):
                continue
            waits = [self.engine.seconds_to_wake(each) for each in ids]
            pending = [wait for wait in waits if wait is not None]
            if not pending:
                return
            self.clock.time += min(pending)
        raise AssertionError("the deployments do not end")
