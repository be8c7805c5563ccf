"""The order of steps: of a deployment, and of the rollback of one."""

from __future__ import annotations

from rehearsal.codedeploy.assumptions import Assumptions
from rehearsal.codedeploy.model.effect_step import (
    primary,
    survey,
    termination,
    test_traffic,
)
from rehearsal.codedeploy.model.hook import HookStep
from rehearsal.codedeploy.model.install import InstallStep
from rehearsal.codedeploy.model.order import Order, ShiftStep
from rehearsal.codedeploy.model.step import Step
from rehearsal.codedeploy.model.traffic import ProductionTrafficStep
from rehearsal.codedeploy.model.vocabulary import EventName, TaskSetLabel
from rehearsal.codedeploy.model.waits import ReadyWaitStep, TerminationWaitStep

BACK_TO_BLUE = (ShiftStep(weight=0.0),)


def script(order: Order, assumptions: Assumptions) -> tuple[Step, ...]:
    """Every step of a deployment, the eight lifecycle events in their order."""
    is_rollback = order.rollback_of is not None
    keeper = TaskSetLabel.BLUE if is_rollback else TaskSetLabel.GREEN
    leaver = TaskSetLabel.GREEN if is_rollback else TaskSetLabel.BLUE
    steps: list[Step] = [survey()]
    for name in EventName:
        if name is assumptions.ready_wait_before and order.waits.ready is not None:
            steps.append(ReadyWaitStep(order.waits.ready))
        steps.append(_step(name, order, keeper))
        if name is assumptions.primary_after:
            steps.append(primary(keeper))
    steps.append(TerminationWaitStep(order.waits.termination))
    if not order.waits.keep_blue:
        steps.append(termination(leaver))
    return tuple(steps)


def _step(name: EventName, order: Order, keeper: TaskSetLabel) -> Step:
    match name:
        case EventName.INSTALL:
            return InstallStep()
        case EventName.ALLOW_TEST_TRAFFIC:
            return test_traffic(keeper)
        case EventName.ALLOW_TRAFFIC:
            is_back = keeper is TaskSetLabel.BLUE
            return ProductionTrafficStep(BACK_TO_BLUE if is_back else order.shift)
        case _:
            return HookStep(name)
