"""Ask until it holds: ``within``, ``every``, ``consecutive`` and ``stop_on``.

The one place where anything is tried again, so that the words mean the same in every
validator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import AfterValidator, Field

from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.model import Finding
from hookgate.units import Duration, seconds_text


def _pace(seconds: float) -> float:
    if seconds < 0.05:
        raise ValueError("write at least 50ms; more often than that is a load test")
    return seconds


Within = Annotated[
    Duration,
    Field(
        description="Ask again until it holds, for as long as this. Without it, the "
        "first attempt that does not hold decides."
    ),
]
Every = Annotated[
    Duration,
    AfterValidator(_pace),
    Field(description="The time between one attempt's end and the next."),
]
Consecutive = Annotated[
    int,
    Field(ge=1, le=1000, description="How many attempts in a row must hold."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one attempt found; ``certain`` when asking again cannot change it."""

    findings: tuple[Finding, ...]
    certain: bool = False

    @property
    def holds(self) -> bool:
        """Whether every finding does."""
        return all(each.ok for each in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to ask, how often, and for how long it must hold; in seconds."""

    within: float = 0.0
    every: float = 1.0
    consecutive: int = 1
    stable_for: float = 0.0

    def worst_case(self, attempt: float) -> float:
        """The longest that it takes when one attempt takes ``attempt`` seconds."""
        if self.within:
            return self.within + attempt
        in_a_row = self.consecutive * attempt + (self.consecutive - 1) * self.every
        if not self.stable_for:
            return in_a_row
        return max(in_a_row, self.stable_for + self.every + 2 * attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How it ended: the deciding attempt's findings, the attempts, the seconds."""

    held: bool
    findings: tuple[Finding, ...]
    attempts: int
    elapsed: float


@dataclass(slots=True)
class _Series:
    """The attempts so far; ``since`` is when the present run of holding ones began."""

    attempts: int = 0
    streak: int = 0
    since: float = 0.0
    last: Attempt | None = None
    failed: Attempt | None = None

    def add(self, attempt: Attempt, now: float) -> None:
        self.attempts += 1
        self.last = attempt
        if not attempt.holds:
            self.streak, self.failed = 0, attempt
            return
        self.since = self.since if self.streak else now
        self.streak += 1


def eventually(
    attempt: Callable[[], Attempt], patience: Patience, deadline: Deadline
) -> Settled:
    """Attempt until it holds as ``patience`` asks, or cannot any more.

    Never sleeps past ``deadline``. The last attempt is made at the end of ``within``.
    An attempt that gets no answer does not hold.

    Raises:
        CannotMeasure: there is no time for even one attempt, or one found nothing.
    """
    clock, series, started = deadline.clock, _Series(), deadline.clock.now()
    over = deadline.within(patience.within) if patience.within else deadline
    held = False
    while not deadline.expired:
        found = _answered(attempt)
        series.add(found, clock.now())
        held = _held(series, patience, clock.now())
        given_up = not found.holds and (found.certain or not patience.within)
        if held or given_up or over.expired:
            break
        over.sleep(patience.every)
    if series.last is None:
        raise CannotMeasure("no time left to ask")
    elapsed = clock.now() - started
    return Settled(
        held=held,
        findings=tuple(_told(series, patience, elapsed, held=held)),
        attempts=series.attempts,
        elapsed=elapsed,
    )


def _answered(attempt: Callable[[], Attempt]) -> Attempt:
    try:
        found = attempt()
    except NoAnswer as error:
        return Attempt(findings=(Finding(ok=False, summary=str(error)),))
    if not found.findings:
        raise CannotMeasure("an attempt found nothing, neither good nor bad")
    return found


def _held(series: _Series, patience: Patience, now: float) -> bool:
    return (
        series.streak >= patience.consecutive
        and now - series.since >= patience.stable_for
    )


def _told(
    series: _Series, patience: Patience, elapsed: float, *, held: bool
) -> Iterator[Finding]:
    tries = f"{series.attempts} attempts in {seconds_text(elapsed)}"
    trace = {"attempts": series.attempts, "elapsed_ms": round(elapsed * 1000)}
    deciding = series.last if held or series.failed is None else series.failed
    for each in deciding.findings if deciding else ():
        summary = each.summary
        if not held and not each.ok and series.attempts > 1:
            summary = f"{summary} ({tries})"
        yield replace(each, summary=summary, evidence={**each.evidence, **trace})
    if series.streak and not held:
        asked = (
            f"for {seconds_text(patience.stable_for)}"
            if patience.stable_for
            else f"{patience.consecutive} times in a row"
        )
        yield Finding(
            ok=False,
            summary=f"held {series.streak} times in a row when the time was over, but "
            f"not {asked} ({tries})",
            evidence=trace,
        )
