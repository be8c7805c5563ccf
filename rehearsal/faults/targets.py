"""Tasks that misbehave behind a door of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from random import Random

from rehearsal.data_plane import FixedResponse, Forward
from rehearsal.data_plane.message import RequestHead
from rehearsal.data_plane.routing import Decision, Split
from rehearsal.data_plane.rules import Silence
from rehearsal.data_plane.target_group import TargetGroup
from rehearsal.faults.file import ErrorsFile, FaultsFile, FlappingFile, HalfOpenFile

_ANY = Random()  # noqa: S311 - of one target it chooses one
Pass = Callable[[RequestHead], Decision | None]
"""Decides for a request, or leaves it to the next."""


class Doorkeeper:
    """Decides for each request at a door what the faults make of it.

    Args:
        group: the target.
        faults: those that strike this task, the strongest first.
    """

    def __init__(self, group: TargetGroup, faults: tuple[Pass, ...]) -> None:
        arn = group.settings.arn
        self._group = group
        self._through = Split(Forward(weights={arn: 1}), {arn: group}, _ANY)
        self._faults = faults

    def decide(
        self,
        request: RequestHead,
        peer: str,  # noqa: ARG002 - the same for every listener
        luck: float = 0.0,  # noqa: ARG002 - as above
    ) -> Decision:
        """What is to be done with a request."""
        met = (fault(request) for fault in self._faults)
        return next((each for each in met if each is not None), self._through)

    def decide_connection(self, luck: float = 0.0) -> TargetGroup:  # noqa: ARG002 - as above
        """A door speaks HTTP; nobody asks."""
        return self._group


def passes(faults: FaultsFile, number: int) -> tuple[Pass, ...]:
    """The faults at the door of a version's task.

    Args:
        faults: what is ordered.
        number: which task of the version it is, from 0.
    """
    found: list[Pass] = []
    if faults.flapping and _strikes(faults.flapping.tasks, number):
        found.append(_flapping(faults.flapping))
    if faults.half_open and _strikes(faults.half_open.tasks, number):
        found.append(_half_open(faults.half_open))
    if faults.errors and _strikes(faults.errors.tasks, number):
        found.append(_errors(faults.errors))
    return tuple(found)


def delay(faults: FaultsFile, number: int) -> float:
    """Seconds for which a version's task refuses connections."""
    late = faults.late_start
    return late.by if late and _strikes(late.tasks, number) else 0.0


def image(faults: FaultsFile, number: int) -> str | None:
    """The image that a version's task runs in the place of its own."""
    wrong = faults.wrong_version
    return wrong.image if wrong and _strikes(wrong.tasks, number) else None


def _strikes(tasks: int | None, number: int) -> bool:
    return tasks is None or number < tasks


def _flapping(ordered: FlappingFile) -> Pass:
    begun = time.monotonic()
    period = ordered.up + ordered.down

    def decide(_request: RequestHead) -> Decision | None:
        is_up = (time.monotonic() - begun) % period < ordered.up
        return None if is_up else FixedResponse(status=503, body=b"down for a moment")

    return decide


def _half_open(ordered: HalfOpenFile) -> Pass:
    strikes = _evenly(ordered.rate)
    return lambda _request: Silence() if strikes() else None


def _errors(ordered: ErrorsFile) -> Pass:
    strikes = _evenly(ordered.rate)

    def decide(request: RequestHead) -> Decision | None:
        is_check = request.text(b"user-agent").startswith("ELB-HealthChecker")
        if (is_check and ordered.health_checks == "pass") or not strikes():
            return None
        return FixedResponse(status=ordered.status, body=b"an error that was ordered")

    return decide


def _evenly(percent: float) -> Callable[[], bool]:
    """Strike so many of a hundred, evenly and exactly: 0.5 % is every 200th."""
    share = Fraction(str(percent)) / 100
    due = Fraction(0)

    def strikes() -> bool:
        nonlocal due
        due += share
        if due < 1:
            return False
        due -= 1
        return True

    return strikes
