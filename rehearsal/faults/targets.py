"""Faults of tasks, which act in a proxy in front of each task."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from random import Random

from rehearsal.data_plane import FixedResponse, Forward
from rehearsal.data_plane.http_message import RequestHead
from rehearsal.data_plane.routing import Decision, WeightedChoice
from rehearsal.data_plane.settings import NoResponse
from rehearsal.data_plane.target_group import TargetGroup
from rehearsal.faults.file import ErrorsFile, FaultsFile, FlappingFile, HalfOpenFile

_ANY = Random()  # noqa: S311 - there is one target to choose
RequestFault = Callable[[RequestHead], Decision | None]
"""Decides for a request; ``None`` leaves it to the next fault."""


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

    def decide(
        self,
        request: RequestHead,
        peer: str,  # noqa: ARG002 - the same for every listener
        bucket: float = 0.0,  # noqa: ARG002 - as above
    ) -> Decision:
        """What to do with a request."""
        decisions = (fault(request) for fault in self._faults)
        return next((each for each in decisions if each is not None), self._forward)

    def decide_connection(self, bucket: float = 0.0) -> TargetGroup:  # noqa: ARG002 - as above
        """The target; not used, since a proxy has an HTTP listener."""
        return self._group


def request_faults(faults: FaultsFile, number: int) -> tuple[RequestFault, ...]:
    """The faults in the proxy of a version's task.

    Args:
        faults: the configured faults.
        number: the index of the task in its version, from 0.
    """
    found: list[RequestFault] = []
    if faults.flapping and _affects(faults.flapping.tasks, number):
        found.append(_flapping(faults.flapping))
    if faults.half_open and _affects(faults.half_open.tasks, number):
        found.append(_half_open(faults.half_open))
    if faults.errors and _affects(faults.errors.tasks, number):
        found.append(_errors(faults.errors))
    return tuple(found)


def delay(faults: FaultsFile, number: int) -> float:
    """Seconds for which a version's task refuses connections."""
    late = faults.late_start
    return late.by if late and _affects(late.tasks, number) else 0.0


def image(faults: FaultsFile, number: int) -> str | None:
    """The image that a version's task runs instead of its own."""
    wrong = faults.wrong_version
    return wrong.image if wrong and _affects(wrong.tasks, number) else None


def _affects(tasks: int | None, number: int) -> bool:
    return tasks is None or number < tasks


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
