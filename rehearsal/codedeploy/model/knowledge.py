"""What a deployment learns of the world, whatever step it is at.

A deployment that was stopped while ECS made its replacement must still hear of it, or
its rollback would leave the task set behind.
"""

from __future__ import annotations

from dataclasses import replace

from rehearsal.codedeploy.model.deployment import Deployment, TaskSet
from rehearsal.codedeploy.model.effects import (
    DeleteTaskSet,
    Effect,
    MakePrimary,
    RouteProductionTraffic,
)
from rehearsal.codedeploy.model.signals import (
    Begun,
    Done,
    Signal,
    Surveyed,
    TaskSetCreated,
    TaskSetObserved,
)
from rehearsal.codedeploy.model.vocabulary import TaskSetLabel


def learn(deployment: Deployment, signal: Signal) -> Deployment:
    """Note what a signal says about the two task sets."""
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


def _weighted(task_set: TaskSet | None, weight: float) -> TaskSet | None:
    return task_set and replace(task_set, weight=weight)


def _called(task_set: TaskSet | None, status: str) -> TaskSet | None:
    return task_set and replace(task_set, status=status)
