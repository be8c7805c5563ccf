"""The deployment that undoes another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rehearsal.codedeploy.model.deployment import (
    ALL_AT_ONCE,
    Creator,
    Deployment,
    Order,
    ShiftStep,
    Waits,
)


def rollback_order(deployment: Deployment, deployment_id: str, now: float) -> Order:
    """The order for the rollback of a deployment.

    A captured rollback used ECSAllAtOnce whatever its group said, made no new task
    set, drained the replacement and waited for nothing. Another, of a deployment that
    an alarm had stopped, Succeeded while the alarm was still in ALARM.
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


def triggered_message(deployment: Deployment) -> str:
    """What the deployment that is rolled back says of its rollback."""
    return (
        f"Deployment {deployment.id} terminated. Automatic rollback is triggered with a"
        f" DeploymentId {deployment.rollback_id}."
    )


def rolling_back_message(order: Order) -> str:
    """What a rollback says of the deployment that it rolls back."""
    return (
        f"Deployment {order.deployment_id} is triggered to roll back deployment"
        f" {order.rollback_of}."
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
