"""Traffic shifting: what a deployment configuration means in steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.codedeploy.model.order import ALL_AT_ONCE, ShiftStep

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
