"""``repeat``: a fixed number of attempts, of which so many may go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure
from hookgate.model import Finding
from hookgate.patience.attempt import Ask, Attempt, Settled, asked, stopped
from hookgate.patience.words import Patience, Repeat

_SHOWN = 5


@dataclass(slots=True)
class _Tally:
    repeat: Repeat
    made: int = 0
    held: Attempt | None = None
    failed: Attempt | None = None
    failures: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def make(self, ask: Ask) -> None:
        """Make an attempt and count it.

        Raises:
            CannotMeasure: one more than may be could not measure, and none failed.
        """
        self.made += 1
        try:
            attempt = asked(ask)
        except CannotMeasure as error:
            self.errors.append(str(error))
            if self.too_many and not self.failures:
                raise
            return
        if attempt.holds:
            self.held = attempt
            return
        self.failed = attempt
        self.failures.append(
            "; ".join(each.summary for each in attempt.findings if not each.ok)
        )

    @property
    def too_many(self) -> bool:
        return (
            len(self.failures) > self.repeat.failures
            or len(self.errors) > self.repeat.errors
        )


def repeated(
    ask: Ask, patience: Patience, repeat: Repeat, deadline: Deadline
) -> Settled:
    """Attempt ``repeat.count`` times, or until too many went wrong.

    Raises:
        CannotMeasure: too many attempts could not measure, or the time was over first.
    """
    tally, started = _Tally(repeat), deadline.clock.now()
    stop = False
    while tally.made < repeat.count and not stop:
        if tally.made:
            deadline.sleep(patience.every)
        if deadline.expired and not tally.too_many:
            raise CannotMeasure(
                f"the time was over after {tally.made} of {repeat.count} attempts",
                code=Code.NO_TIME,
            )
        before = len(tally.failures)
        tally.make(ask)
        new = tally.failed if len(tally.failures) > before else None
        stop = tally.too_many or (new is not None and stopped(new, patience))
    return Settled(
        held=not stop,
        findings=tuple(_told(tally, held=not stop)),
        attempts=tally.made,
        elapsed=deadline.clock.now() - started,
    )


def _told(tally: _Tally, *, held: bool) -> Iterator[Finding]:
    deciding = tally.held if held else tally.failed
    yield from deciding.findings if deciding else ()
    repeat, bad, lost = tally.repeat, len(tally.failures), len(tally.errors)
    said = (
        f"{bad} of {tally.made} attempts did not hold (at most {repeat.failures} of "
        f"{repeat.count} may), {lost} could not be measured (at most {repeat.errors} "
        "may)"
    )
    yield Finding(
        ok=held,
        code=Code.REPEAT,
        summary=said,
        evidence={
            "attempts": tally.made,
            "failures": tally.failures[-_SHOWN:],
            "errors": tally.errors[-_SHOWN:],
        },
        optout=f"repeat: {said}" if held and (bad or lost) else "",
    )
