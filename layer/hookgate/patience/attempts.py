"""Ask until it holds, or as often as the plan says, and tell how it ended.

The one place where anything is tried again, so that ``within``, ``every``,
``consecutive``, ``stable_for``, ``stop_on`` and ``repeat`` mean the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, Inconclusive
from hookgate.model import Finding
from hookgate.patience.attempt import Ask, Attempt, Settled, asked, stopped
from hookgate.patience.repetition import repeated
from hookgate.patience.words import Patience
from hookgate.units import seconds_text


@dataclass(slots=True)
class _Series:
    """The attempts so far; ``since`` is when the present run of holding ones began."""

    patience: Patience
    deadline: Deadline
    attempts: int = 0
    streak: int = 0
    since: float = 0.0
    last: Attempt | None = None
    failed: Attempt | None = None
    unclear: Inconclusive | None = None
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.deadline.clock.now()

    @property
    def elapsed(self) -> float:
        return self.deadline.clock.now() - self.started

    @property
    def held(self) -> bool:
        now = self.deadline.clock.now()
        return (
            self.streak >= self.patience.consecutive
            and now - self.since >= self.patience.stable_for
        )

    @property
    def given_up(self) -> bool:
        """Whether no further attempt is made after one that did not hold."""
        return not self.streak and (not self.patience.within or self._certain)

    @property
    def _certain(self) -> bool:
        if self.unclear:
            return self.unclear.code in self.patience.stop_on
        return self.last is not None and stopped(self.last, self.patience)

    def make(self, ask: Ask) -> None:
        """Make an attempt; one without data does not hold, but may the next time."""
        self.attempts += 1
        self.unclear = None
        try:
            attempt = asked(ask)
        except Inconclusive as error:
            self.unclear, self.streak = error, 0
            return
        self.last = attempt
        if not attempt.holds:
            self.streak, self.failed = 0, attempt
            return
        self.since = self.since if self.streak else self.deadline.clock.now()
        self.streak += 1


def eventually(ask: Ask, patience: Patience, deadline: Deadline) -> Settled:
    """Attempt until it holds as ``patience`` asks, or cannot any more.

    Never sleeps past ``deadline``. The last attempt is made at the end of ``within``.
    An attempt that gets no answer does not hold.

    Raises:
        CannotMeasure: there is no time for even one attempt, or one could not measure.
        Inconclusive: the last attempt had no data, and none before it failed.
        Defect: an attempt found nothing.
    """
    if patience.repeat:
        return repeated(ask, patience, patience.repeat, deadline)
    series = _Series(patience, deadline)
    over = deadline.within(patience.within) if patience.within else deadline
    held = False
    while not deadline.expired:
        series.make(ask)
        held = series.held
        if held or series.given_up or over.expired:
            break
        over.sleep(patience.every)
    if not series.attempts:
        raise CannotMeasure("no time left to ask", code=Code.STEP_NOT_STARTED)
    if series.unclear and not series.failed:
        raise series.unclear
    return Settled(
        held=held,
        findings=tuple(_told(series, held=held)),
        attempts=series.attempts,
        elapsed=series.elapsed,
    )


def _told(series: _Series, *, held: bool) -> Iterator[Finding]:
    patience = series.patience
    tries = f"{series.attempts} attempts in {seconds_text(series.elapsed)}"
    trace: dict[str, object] = {}
    if not patience.once:
        took = round(series.elapsed * 1000)
        trace = {"attempts": series.attempts, "elapsed_ms": took}
    deciding = series.last if held or series.failed is None else series.failed
    for each in deciding.findings if deciding else ():
        summary = each.summary
        if not held and not each.ok and series.attempts > 1:
            summary = f"{summary} ({tries})"
        yield replace(each, summary=summary, evidence={**each.evidence, **trace})
    if series.streak and not held:
        asked_for = (
            f"for {seconds_text(patience.stable_for)}"
            if patience.stable_for
            else f"{patience.consecutive} times in a row"
        )
        yield Finding(
            ok=False,
            code=Code.NOT_STABLE,
            summary=f"held {series.streak} times in a row when the time was over, but "
            f"not {asked_for} ({tries})",
            evidence=trace,
        )
