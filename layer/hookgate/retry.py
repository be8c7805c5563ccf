"""How often a question is asked, and when the answer counts: the words and their sums.

The same words in every validator's options; ``attempts`` acts on them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, Defect, Inconclusive, InvalidValue, NoAnswer
from hookgate.http.request import status_in, statuses
from hookgate.model import Finding
from hookgate.units import Duration, seconds_text

_LIKE_A_STATUS = re.compile(r"\d+|\d+[xX]+")

_LIKE_A_CODE = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")

_MOST = 1000


def _pace(seconds: float) -> float:
    if seconds < 0.05:
        raise InvalidValue(
            "write at least 50ms; more often than that is a load test",
            code=Code.OPTION_RETRY,
        )
    return seconds


def _stops(value: object) -> tuple[str, ...]:
    many = value if isinstance(value, list | tuple) else [value]
    for each in many:
        if isinstance(each, bool) or not isinstance(each, int | str) or each == "":
            raise InvalidValue(
                f"write statuses such as 501, or codes such as {Code.HTTP_STATUS}",
                code=Code.OPTION_STOP_ON,
            )
        if _LIKE_A_STATUS.fullmatch(str(each)):
            statuses(each)
        else:
            _check_code(str(each))
    return tuple(str(each) for each in many)


def _check_code(text: str) -> None:
    """Check a code; those of Hookgate's own are known, those of plugins are not."""
    if not _LIKE_A_CODE.fullmatch(text):
        raise InvalidValue(
            f"{text[:64]!r} is neither a status nor a code; write codes such as "
            f"{Code.HTTP_STATUS}, not words of a message",
            code=Code.OPTION_STOP_ON,
        )
    if text.startswith("HG-") and text not in set(Code):
        from difflib import get_close_matches  # noqa: PLC0415 - most plans are right

        close = get_close_matches(text[:64], list(Code), n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise InvalidValue(f"unknown code {text[:64]}{hint}", code=Code.OPTION_STOP_ON)


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
    Field(ge=1, le=_MOST, description="How many attempts in a row must hold."),
]

StableFor = Annotated[
    Duration, Field(description="How long it must hold without a break.")
]

StopOn = Annotated[
    tuple[str, ...],
    BeforeValidator(_stops),
    WithJsonSchema(
        {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]}}
    ),
    Field(
        description="Stop retrying at once when a finding that is not satisfied has "
        "one of these HTTP statuses, such as 501 or 4xx, or codes."
    ),
]


class Repeat(BaseModel):
    """Ask a fixed number of times, and say how many may go wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    count: int = Field(ge=1, le=_MOST, description="How many attempts are made.")
    failures: int = Field(
        0, ge=0, description="How many of them may not hold; the verdict tells of them."
    )
    errors: int = Field(
        0,
        ge=0,
        description="How many of them may be without a measurement; told as well.",
    )

    @model_validator(mode="after")
    def _something_must_hold(self) -> Repeat:
        if self.failures + self.errors >= self.count:
            raise InvalidValue(
                "nothing would have to hold: make failures and errors together "
                "less than count",
                code=Code.OPTION_RETRY,
            )
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to ask, how often, and for how long it must hold; in seconds.

    With ``repeat``, ``within``, ``consecutive`` and ``stable_for`` mean nothing.
    """

    within: float = 0.0
    every: float = 1.0
    consecutive: int = 1
    stable_for: float = 0.0
    stop_on: tuple[str, ...] = ()
    repeat: Repeat | None = None

    @property
    def once(self) -> bool:
        """Whether one attempt decides."""
        return self == Patience(every=self.every, stop_on=self.stop_on)

    def check(self, given: Collection[str]) -> None:
        """Check that the words go together; ``given`` are those that were written.

        Raises:
            ValueError: they do not.
        """
        until = {"within", "consecutive", "stable_for"}.intersection(given)
        if self.repeat and until:
            told = " and ".join(sorted(until))
            raise InvalidValue(
                f"repeat asks a fixed number of times: leave out {told}",
                code=Code.OPTION_TOGETHER,
            )
        if self.within and self.stable_for >= self.within and not self.repeat:
            raise InvalidValue(
                "stable_for does not fit into within: make within longer",
                code=Code.OPTION_RETRY,
            )

    def worst_case(self, attempt: float) -> float:
        """The longest that it takes when one attempt takes ``attempt`` seconds."""
        if self.repeat:
            return self.repeat.count * (attempt + self.every) - self.every
        if self.within:
            return self.within + attempt
        in_a_row = self.consecutive * attempt + (self.consecutive - 1) * self.every
        if not self.stable_for:
            return in_a_row
        return max(in_a_row, self.stable_for + self.every + 2 * attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one attempt found; ``certain`` when asking again cannot change it."""

    findings: tuple[Finding, ...]
    certain: bool = False

    @property
    def holds(self) -> bool:
        """Whether every finding does."""
        return all(each.ok for each in self.findings)


Ask = Callable[[], Attempt]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How it ended: the deciding attempt's findings, the attempts, the seconds."""

    held: bool
    findings: tuple[Finding, ...]
    attempts: int
    elapsed: float


def asked(ask: Ask) -> Attempt:
    """Make one attempt; no answer is one that does not hold.

    Raises:
        Defect: it found nothing, neither good nor bad.
    """
    try:
        found = ask()
    except NoAnswer as error:
        broken = Finding(ok=False, code=error.code, summary=str(error))
        return Attempt(findings=(broken,))
    if not found.findings:
        raise Defect("the validator stated no finding", code=Code.NO_FINDINGS)
    return found


def stopped(attempt: Attempt, patience: Patience) -> bool:
    """Whether no further attempt can change what this one found."""
    return attempt.certain or any(
        each.certain or _status_named(each, patience) or each.code in patience.stop_on
        for each in attempt.findings
        if not each.ok
    )


def _status_named(finding: Finding, patience: Patience) -> bool:
    status = finding.evidence.get("status")
    return isinstance(status, int) and status_in(status, patience.stop_on)


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
        findings=tuple(_repeated_findings(tally, held=not stop)),
        attempts=tally.made,
        elapsed=deadline.clock.now() - started,
    )


def _repeated_findings(tally: _Tally, *, held: bool) -> Iterator[Finding]:
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
        waiver=f"repeat: {said}" if held and (bad or lost) else "",
    )


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
