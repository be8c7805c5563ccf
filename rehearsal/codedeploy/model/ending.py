"""How a deployment ends before its last step, and whether it is rolled back."""

from __future__ import annotations

from dataclasses import replace

from rehearsal.codedeploy.model.deployment import Deployment, Failure, end_event
from rehearsal.codedeploy.model.effect_step import EffectStep
from rehearsal.codedeploy.model.effects import DeleteTaskSet
from rehearsal.codedeploy.model.script import script
from rehearsal.codedeploy.model.signals import StopRequested
from rehearsal.codedeploy.model.vocabulary import (
    DeploymentStatus,
    EventName,
    EventStatus,
)
from rehearsal.codedeploy.settings import EngineSettings


def stopped(
    deployment: Deployment, stop: StopRequested, now: float, settings: EngineSettings
) -> Deployment:
    """Stop it, and roll it back where the stop or else the group says so."""
    by_group = stop.cause in deployment.order.rolls_back_on
    rolls_back = by_group if stop.rolls_back is None else stop.rolls_back
    over = ended(deployment, DeploymentStatus.STOPPED, stop.failure, now)
    return with_rollback(over, deployment, rolls_back, settings)


def ended(
    deployment: Deployment, status: DeploymentStatus, failure: Failure, now: float
) -> Deployment:
    """Fail the event in progress, skip the later ones, and be over."""
    running = deployment.running_event
    if running is not None:
        deployment = end_event(
            deployment, running.name, EventStatus.FAILED, now, failure
        )
    events = tuple(
        replace(event, status=EventStatus.SKIPPED)
        if event.status is EventStatus.PENDING
        else event
        for event in deployment.events
    )
    has_succeeded = deployment.target_status is EventStatus.SUCCEEDED
    return replace(
        deployment,
        status=status,
        error=failure,
        events=events,
        wake_at=None,
        poll_at=None,
        completed_at=now,
        updated_at=now,
        target_status=EventStatus.SUCCEEDED if has_succeeded else EventStatus.FAILED,
    )


def with_rollback(
    over: Deployment, before: Deployment, rolls_back: bool, settings: EngineSettings
) -> Deployment:
    """Ask for a rollback, where one is wanted and there is something to roll back."""
    is_installed = before.event(EventName.INSTALL).status is not EventStatus.PENDING
    is_possible = is_installed or settings.assumptions.rollback_from_before_install
    is_rollback = over.order.rollback_of is not None
    has_blue = over.blue is not None and not is_terminating(before, settings)
    wants = rolls_back and is_possible and has_blue and not is_rollback
    return replace(over, wants_rollback=wants)


def is_terminating(deployment: Deployment, settings: EngineSettings) -> bool:
    """Whether the original is being deleted: then there is nothing to go back to.

    Nor is there when the deletion was refused, since it may have been done all the
    same; green serves, and a rollback could only take that away.
    """
    steps = script(deployment.order, settings.assumptions)
    step = steps[deployment.step] if deployment.step >= 0 else None
    return isinstance(step, EffectStep) and isinstance(step.effect, DeleteTaskSet)
