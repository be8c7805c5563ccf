"""The changes that an observer gets: of deployments, events and traffic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hookgate_rehearsal.codedeploy.model.deployment import (
    Deployment,
    Event,
    EventStatus,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged:
    """A deployment's status changed; a new one was Created."""

    at: float
    deployment: Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStarted:
    """A lifecycle event is in progress."""

    at: float
    deployment: Deployment
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class EventEnded:
    """A lifecycle event Succeeded, Failed or was Skipped."""

    at: float
    deployment: Deployment
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficShifted:
    """The split of production traffic changed; weights in percent."""

    at: float
    deployment: Deployment
    blue: float
    green: float


Change = StatusChanged | EventStarted | EventEnded | TrafficShifted
Observer = Callable[[Change], None]


def ignore_change(change: Change) -> None:
    """Do nothing: the default observer."""


def changes(before: Deployment, after: Deployment, at: float) -> Iterator[Change]:
    """List the changes of a deployment at a time in epoch seconds."""
    is_new_status = before.status is not after.status
    if is_new_status and not after.is_over:
        yield StatusChanged(at=at, deployment=after)
    shifted = _shifted(before, after, at)
    if shifted is not None:
        yield shifted
    for old, new in zip(before.events, after.events, strict=True):
        if old.status is not new.status:
            yield from _event_changes(old, new, after, at)
    if is_new_status and after.is_over:
        yield StatusChanged(at=at, deployment=after)


def _event_changes(
    old: Event, new: Event, after: Deployment, at: float
) -> Iterator[Change]:
    if old.status is EventStatus.PENDING and new.started_at is not None:
        started = replace(
            new, status=EventStatus.IN_PROGRESS, ended_at=None, diagnosis=None
        )
        yield EventStarted(at=at, deployment=after, event=started)
    if new.status is not EventStatus.IN_PROGRESS:
        yield EventEnded(at=at, deployment=after, event=new)


def _shifted(before: Deployment, after: Deployment, at: float) -> TrafficShifted | None:
    """Get the new split, unless the weights were unknown before."""
    old, new = _weights(before), _weights(after)
    if old is None or new is None or old == new:
        return None
    return TrafficShifted(at=at, deployment=after, blue=new[0], green=new[1])


def _weights(deployment: Deployment) -> tuple[float, float] | None:
    if deployment.blue is None:
        return None
    green = deployment.green.weight if deployment.green is not None else 0.0
    return deployment.blue.weight, green
