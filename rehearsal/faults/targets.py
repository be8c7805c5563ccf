"""Faults of tasks, which act in a proxy in front of each task."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from random import Random

from hookgate_rehearsal.data_plane.http_message import RequestHead
from hookgate_rehearsal.data_plane.plane import DataPlane
from hookgate_rehearsal.data_plane.routing import Decision, Routing, WeightedChoice
from hookgate_rehearsal.data_plane.settings import (
    FixedResponse,
    Forward,
    ListenerSettings,
    NoResponse,
    Target,
)
from hookgate_rehearsal.data_plane.target_group import TargetGroup
from hookgate_rehearsal.ecs.scheduler import Task
from hookgate_rehearsal.faults.faults import Faults
from hookgate_rehearsal.faults.schema import (
    ErrorsFile,
    FaultsFile,
    FlappingFile,
    HalfOpenFile,
    StaleListenerFile,
)

_ANY = Random()  # noqa: S311 - there is one target to choose

RequestFault = Callable[[RequestHead], Decision | None]

"""Decides for a request; ``None`` to leave it to the next fault."""


class FaultyRouting:
    """The routing of a task's proxy: a fault decides, or the task responds.

    Args:
        group: contains only the task.
        faults: the faults of this task, the strongest first.
    """

    def __init__(self, group: TargetGroup, faults: tuple[RequestFault, ...]) -> None:
        arn = group.settings.arn
        self._group = group
        self._forward = WeightedChoice(Forward(weights={arn: 1}), {arn: group}, _ANY)
        self._faults = faults

    def decide(self, request: RequestHead, _peer: str, _bucket: float) -> Decision:
        """What to do with a request."""
        decisions = (fault(request) for fault in self._faults)
        return next((each for each in decisions if each is not None), self._forward)

    def decide_connection(self, _bucket: float) -> TargetGroup:
        """The target; not used, since a proxy has an HTTP listener."""
        return self._group


def request_faults(faults: FaultsFile, number: int) -> tuple[RequestFault, ...]:
    """The faults in the proxy of a version's task.

    Args:
        faults: the configured faults.
        number: the index of the task in its version, from 0.
    """
    found: list[RequestFault] = []
    if faults.flapping and faults.flapping.affects(number):
        found.append(_flapping(faults.flapping))
    if faults.half_open and faults.half_open.affects(number):
        found.append(_half_open(faults.half_open))
    if faults.errors and faults.errors.affects(number):
        found.append(_errors(faults.errors))
    return tuple(found)


def delay(faults: FaultsFile, number: int) -> float:
    """Seconds for which a version's task refuses connections."""
    late = faults.late_start
    return late.by if late and late.affects(number) else 0.0


def image(faults: FaultsFile, number: int) -> str | None:
    """The image that a version's task runs instead of its own."""
    wrong = faults.wrong_version
    return wrong.image if wrong and wrong.affects(number) else None


def _flapping(configured: FlappingFile) -> RequestFault:
    begun = time.monotonic()
    period = configured.up + configured.down

    def decide(_request: RequestHead) -> Decision | None:
        is_up = (time.monotonic() - begun) % period < configured.up
        return None if is_up else FixedResponse(status=503, body=b"temporarily down")

    return decide


def _half_open(configured: HalfOpenFile) -> RequestFault:
    is_due = _evenly(configured.rate)
    return lambda _request: NoResponse() if is_due() else None


def _errors(configured: ErrorsFile) -> RequestFault:
    is_due = _evenly(configured.rate)

    def decide(request: RequestHead) -> Decision | None:
        is_check = request.text(b"user-agent").startswith("ELB-HealthChecker")
        if (is_check and configured.health_checks == "pass") or not is_due():
            return None
        return FixedResponse(status=configured.status, body=b"an injected error")

    return decide


def _evenly(percent: float) -> Callable[[], bool]:
    """Select a percentage of calls, evenly and exactly: 0.5 % is every 200th."""
    share = Fraction(str(percent)) / 100
    due = Fraction(0)

    def is_due() -> bool:
        nonlocal due
        due += share
        if due < 1:
            return False
        due -= 1
        return True

    return is_due


class FaultyTasks:
    """Gives a version's tasks other images, and proxies with faults.

    A fault of N tasks affects the first N that the version starts; the replacement of
    such a task has no fault.

    Args:
        faults: the configured faults.
        plane: opens the proxies.
    """

    def __init__(self, faults: Faults, plane: DataPlane) -> None:
        self._faults = faults
        self._plane = plane
        self._started: Counter[str] = Counter()
        self._numbers: dict[str, int] = {}

    def image(self, task: Task, image_: str) -> str:
        """The image that a task runs."""
        configured = self._faults.of_version(task.task_definition_arn)
        return (
            image_
            if configured is None
            else image(configured, self._number(task)) or image_
        )

    def target(self, task: Task, target: Target) -> Target:
        """The target to register for a task that listens at ``target``."""
        configured = self._faults.of_version(task.task_definition_arn)
        if configured is None:
            return target
        number = self._number(task)
        found = request_faults(configured, number)
        late = delay(configured, number)
        if not found and not late:
            return target
        routing = partial(FaultyRouting, faults=found)
        return self._plane.open_target_proxy(target, routing, late)

    def _number(self, task: Task) -> int:
        """The task's index in its version; called from the scheduler's thread."""
        if task.arn not in self._numbers:
            self._numbers[task.arn] = self._started[task.task_definition_arn]
            self._started[task.task_definition_arn] += 1
        return self._numbers[task.arn]


class StaleRouting:
    """Uses the previous routing on some connections for a limited time.

    Args:
        configured: how long, and for which percentage of connections.
        before: the previous routing.
        after: the new routing.
    """

    def __init__(
        self, configured: StaleListenerFile, before: Routing, after: Routing
    ) -> None:
        self._until = time.monotonic() + configured.seconds
        self._share = configured.connections / 100
        self._before = before
        self.after = after

    def decide(self, request: RequestHead, peer: str, bucket: float) -> Decision:
        """What to do with a request."""
        return self._routing(bucket).decide(request, peer, bucket)

    def decide_connection(self, bucket: float) -> TargetGroup | None:
        """The target group of a TCP or TLS connection."""
        return self._routing(bucket).decide_connection(bucket)

    def _routing(self, bucket: float) -> Routing:
        is_stale = bucket < self._share and time.monotonic() < self._until
        return self._before if is_stale else self.after


def stale_routing(
    configured: Callable[[str], StaleListenerFile | None],
    settings: ListenerSettings,
    before: Routing | None,
    after: Routing,
) -> Routing:
    """The routing that a listener uses from now on; a fault delays the change.

    Args:
        configured: returns the fault of a listener's ARN now, if there is one.
        settings: the listener's settings.
        before: the previous routing.
        after: the new routing.
    """
    fault = configured(settings.arn)
    if before is None or fault is None:
        return after
    previous = before.after if isinstance(before, StaleRouting) else before
    return StaleRouting(fault, previous, after)
