"""The engine: stores deployments and advances each one, effect by effect.

An observer gets the changes of deployments, events and traffic.
"""

from __future__ import annotations

import secrets
import string
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from hookgate_rehearsal.codedeploy.model.deployment import (
    Deployment,
    Event,
    EventStatus,
    Order,
    rollback_order,
)
from hookgate_rehearsal.codedeploy.model.machine import advance
from hookgate_rehearsal.codedeploy.model.signals import (
    Begun,
    Effect,
    PollDue,
    Signal,
    TimePassed,
)
from hookgate_rehearsal.codedeploy.settings import EngineSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an observer gets, with its time in epoch seconds."""

    at: float
    deployment: Deployment


class StatusChanged(Change):
    """A deployment's status changed; a new one was Created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStarted(Change):
    """A lifecycle event is in progress."""

    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class EventEnded(Change):
    """A lifecycle event Succeeded, Failed or was Skipped."""

    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficShifted(Change):
    """The split of production traffic changed; weights in percent."""

    blue: float
    green: float


Observer = Callable[[Change], None]


def changes(before: Deployment, after: Deployment, at: float) -> Iterator[Change]:
    """List the changes of a deployment at a time in epoch seconds."""
    is_new_status = before.status is not after.status
    if is_new_status and not after.is_over:
        yield StatusChanged(at=at, deployment=after)
    old_weights, new_weights = _weights(before), _weights(after)
    if old_weights and new_weights and old_weights != new_weights:
        blue, green = new_weights
        yield TrafficShifted(at=at, deployment=after, blue=blue, green=green)
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


def _weights(deployment: Deployment) -> tuple[float, float] | None:
    """The split of production traffic, once it is known."""
    if deployment.blue is None:
        return None
    green = deployment.green.weight if deployment.green is not None else 0.0
    return deployment.blue.weight, green


ID_CHARACTERS = string.ascii_uppercase + string.digits


class GroupIsBusyError(Exception):
    """The deployment group has an active deployment; its id is the message."""


def new_deployment_id() -> str:
    """Make an id like CodeDeploy's: ``d-`` and nine characters."""
    return "d-" + "".join(secrets.choice(ID_CHARACTERS) for _ in range(9))


@dataclass(slots=True)
class _Run:
    deployment: Deployment
    effects: deque[Effect] = field(default_factory=deque)
    is_begun: bool = False
    is_drained: bool = False


class Engine:
    """Every deployment of an emulator.

    It has no thread: ``turn`` does one thing at a time, so that a test can set the
    clock between turns. ``CodeDeploy`` runs it in an emulator.

    Args:
        carry_out: Carries out an effect, given the deployment when it was due; the
            result is ``Refused`` if AWS refuses it.
        clock: Gives the time in epoch seconds; it never goes back.
        settings: Times and assumptions.
        observer: Called with every change, under the engine's lock: it must not block.
        new_id: Makes deployment ids.
    """

    def __init__(
        self,
        carry_out: Callable[[Deployment, Effect], Signal],
        clock: Callable[[], float],
        settings: EngineSettings,
        observer: Observer = lambda _: None,
        new_id: Callable[[], str] = new_deployment_id,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.changed = threading.Condition(threading.RLock())
        self._carry_out = carry_out
        self._observer = observer
        self._new_id = new_id
        self._runs: dict[str, _Run] = {}

    def submit(self, order_with: Callable[[str], Order]) -> Deployment:
        """Create a deployment.

        Args:
            order_with: Makes the order, given the deployment's new id.

        Raises:
            GroupIsBusyError: The group's active deployment is in the way.
        """
        with self.changed:
            order = order_with(self._new_id())
            for active in self.deployments(order.application, order.group):
                if not active.is_over:
                    raise GroupIsBusyError(active.id)
            return self._add(order).deployment

    def get(self, deployment_id: str) -> Deployment | None:
        """Get a deployment, or None."""
        with self.changed:
            run = self._runs.get(deployment_id)
            return run.deployment if run else None

    def deployments(
        self, application: str | None = None, group: str | None = None
    ) -> list[Deployment]:
        """List the deployments of an application and group, the oldest first."""
        with self.changed:
            return [
                run.deployment
                for run in self._runs.values()
                if application in (None, run.deployment.order.application)
                and group in (None, run.deployment.order.group)
            ]

    def rename(self, old: tuple[str, str], new: tuple[str, str]) -> None:
        """Rename the group of deployments.

        Args:
            old: The old names of the application and the group.
            new: The new names.
        """
        with self.changed:
            for run in self._runs.values():
                order = run.deployment.order
                if (order.application, order.group) == old:
                    order = replace(order, application=new[0], group=new[1])
                    run.deployment = replace(run.deployment, order=order)

    def signal(self, deployment_id: str, signal: Signal) -> Deployment:
        """Apply a signal to a deployment."""
        with self.changed:
            run = self._runs[deployment_id]
            before, now = run.deployment, self.clock()
            after, effects = advance(before, signal, now, self.settings)
            run.effects.extend(effects)
            if after.is_over:
                run.effects.clear()  # the running effect reports, no other one begins
            rollback = None
            if after.wants_rollback and after.rollback_id is None:
                rollback = rollback_order(after, self._new_id(), now)
                after = replace(after, rollback_id=rollback.deployment_id)
            run.deployment = after
            for change in changes(before, after, now):
                self._observer(change)
            if rollback is not None:
                self._add(rollback)
            self.changed.notify_all()
            return after

    def turn(self, deployment_id: str) -> bool:
        """Do the one thing that is due for a deployment.

        Returns:
            Whether anything was due.
        """
        with self.changed:
            run = self._runs[deployment_id]
            deployment = run.deployment
            effect = run.effects.popleft() if run.effects else None
        if effect is not None:
            self.signal(deployment_id, self._carry_out(deployment, effect))
            return True
        with self.changed:
            return self._due(run)

    def seconds_to_wake(self, deployment_id: str) -> float | None:
        """Seconds until a deployment is due; None if time alone will not make it."""
        with self.changed:
            run = self._runs[deployment_id]
            begins = not run.is_begun and self.may_begin(deployment_id)
            if run.effects or begins:
                return 0.0
            if run.deployment.is_over:
                return None if run.is_drained else 0.0
            due_at = run.deployment.due_at
            return None if due_at is None else max(0.0, due_at - self.clock())

    def is_idle(self, deployment_id: str) -> bool:
        """Whether nothing is left to do for a deployment, or it no longer exists."""
        with self.changed:
            run = self._runs.get(deployment_id)
            return run is None or run.is_drained

    def may_begin(self, deployment_id: str) -> bool:
        """Whether a deployment can begin.

        It waits for the running effects of earlier deployments of its group: a call
        that was made before a stop can still return after it.
        """
        with self.changed:
            order = self._runs[deployment_id].deployment.order
            for each in self.deployments(order.application, order.group):
                if each.id == deployment_id:
                    break
                if not self._runs[each.id].is_drained:
                    return False
            return True

    def _add(self, order: Order) -> _Run:
        run = _Run(Deployment(order=order, updated_at=order.created_at))
        self._runs[order.deployment_id] = run
        self._forget()
        self._observer(StatusChanged(at=order.created_at, deployment=run.deployment))
        self.changed.notify_all()
        return run

    def _forget(self) -> None:
        """Delete the oldest deployments that have nothing left to do."""
        excess = len(self._runs) - self.settings.deployments_kept
        if excess <= 0:
            return
        needed = {run.deployment.order.rollback_of for run in self._runs.values()}
        done = [id_ for id_, run in self._runs.items() if run.is_drained]
        for id_ in [each for each in done if each not in needed][:excess]:
            del self._runs[id_]

    def _due(self, run: _Run) -> bool:
        deployment = run.deployment
        if run.effects:
            return True
        if not run.is_begun:
            return self._begin(run)
        if deployment.is_over:
            was_drained, run.is_drained = run.is_drained, True
            self.changed.notify_all()
            return not was_drained
        now = self.clock()
        if deployment.poll_at is not None and now >= deployment.poll_at:
            self.signal(deployment.id, PollDue())
            return True
        if deployment.wake_at is not None and now >= deployment.wake_at:
            self.signal(deployment.id, TimePassed())
            return True
        return False

    def _begin(self, run: _Run) -> bool:
        if not self.may_begin(run.deployment.id):
            return False
        run.is_begun = True
        origin_id = run.deployment.order.rollback_of
        if origin_id is None:
            self.signal(run.deployment.id, Begun())
        else:
            origin = self._runs[origin_id].deployment
            begun = Begun(blue=origin.blue, green=origin.green)
            self.signal(run.deployment.id, begun)
        return True
