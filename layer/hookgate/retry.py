"""The loop that retries a check as its retry options require."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, Defect, Inconclusive, NoAnswer
from hookgate.http.request import status_in
from hookgate.model import Finding
from hookgate.units import seconds_text
from hookgate.validator import Repeat, RetryPolicy

Findings = tuple[Finding, ...]

#: Makes one attempt.
Check = Callable[[], Findings]


def eventually(check: Check, policy: RetryPolicy, deadline: Deadline) -> Findings:
    """Make attempts until the check passes as ``policy`` requires, or cannot any more.

    Returns the findings of the attempt that decided. An attempt without a response
    fails. Never sleeps past ``deadline``; the last attempt starts at the end of
    ``within``.

    Raises:
        CannotMeasure: there is no time for an attempt, or one could not measure.
        Inconclusive: the last attempt had no data, and none before it failed.
        Defect: an attempt had no findings.
    """
    if policy.repeat:
        return _repeat(check, policy, policy.repeat, deadline)
    series = _Series(policy, deadline)
    over = deadline.within(policy.within) if policy.within else deadline
    passed = False
    while not deadline.expired:
        series.add(check)
        passed = series.passed
        if passed or series.should_stop or over.expired:
            break
        over.sleep(policy.every)
    if not series.attempts:
        raise CannotMeasure("no time left for an attempt", code=Code.STEP_NOT_STARTED)
    if series.unclear and not series.failed:
        raise series.unclear
    return tuple(series.findings(passed=passed))


def _attempt(check: Check) -> Findings:
    """Make one attempt; without a response it fails.

    Raises:
        Defect: it had no findings.
    """
    try:
        findings = check()
    except NoAnswer as error:
        return (Finding(ok=False, code=error.code, summary=str(error)),)
    if not findings:
        raise Defect("the validator yielded no findings", code=Code.NO_FINDINGS)
    return findings


def _failures(findings: Findings) -> list[Finding]:
    return [each for each in findings if not each.ok]


def _is_final(findings: Findings, stop_on: Collection[str]) -> bool:
    """Whether no retry can change an attempt that failed."""
    return any(
        each.certain
        or each.code in stop_on
        or (
            isinstance(status := each.evidence.get("status"), int)
            and status_in(status, stop_on)
        )
        for each in _failures(findings)
    )


@dataclass(slots=True)
class _Series:
    """The attempts so far; ``since`` is when the current run of passes started."""

    policy: RetryPolicy
    deadline: Deadline
    attempts: int = 0
    streak: int = 0
    since: float = 0.0
    last: Findings = ()
    failed: Findings = ()
    unclear: Inconclusive | None = None
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.deadline.clock.now()

    @property
    def elapsed(self) -> float:
        return self.deadline.clock.now() - self.started

    @property
    def passed(self) -> bool:
        stable = self.deadline.clock.now() - self.since
        return (
            self.streak >= self.policy.consecutive and stable >= self.policy.stable_for
        )

    @property
    def should_stop(self) -> bool:
        """Whether no attempt follows one that failed."""
        if self.streak:
            return False
        stop_on = self.policy.stop_on
        if self.unclear:
            final = self.unclear.code in stop_on
        else:
            final = _is_final(self.last, stop_on)
        return final or not self.policy.within

    def add(self, check: Check) -> None:
        """Make an attempt; without data it does not pass, but the next one may."""
        self.attempts += 1
        self.unclear = None
        try:
            self.last = _attempt(check)
        except Inconclusive as error:
            self.unclear, self.streak = error, 0
            return
        if _failures(self.last):
            self.streak, self.failed = 0, self.last
            return
        self.since = self.since if self.streak else self.deadline.clock.now()
        self.streak += 1

    def findings(self, *, passed: bool) -> Iterator[Finding]:
        tries = f"{self.attempts} attempts in {seconds_text(self.elapsed)}"
        trace: dict[str, object] = {}
        if not self.policy.once:
            took = round(self.elapsed * 1000)
            trace = {"attempts": self.attempts, "elapsed_ms": took}
        for each in self.last if passed else self.failed or self.last:
            summary = each.summary
            if not passed and not each.ok and self.attempts > 1:
                summary = f"{summary} ({tries})"
            yield replace(each, summary=summary, evidence={**each.evidence, **trace})
        if self.streak and not passed:
            wanted = (
                f"for {seconds_text(self.policy.stable_for)}"
                if self.policy.stable_for
                else f"{self.policy.consecutive} times in a row"
            )
            yield Finding(
                ok=False,
                code=Code.NOT_STABLE,
                summary=f"passed {self.streak} times in a row until the time was over, "
                f"expected {wanted} ({tries})",
                evidence=trace,
            )


_SHOWN = 5


def _repeat(
    check: Check, policy: RetryPolicy, repeat: Repeat, deadline: Deadline
) -> Findings:
    """Make ``repeat.count`` attempts, or stop after too many failures or errors.

    Raises:
        CannotMeasure: too many attempts could not measure, or there is no time left.
    """
    count, final = _Count(repeat), False
    while count.made < repeat.count and not final:
        if count.made:
            deadline.sleep(policy.every)
        if deadline.expired:
            raise CannotMeasure(
                f"the time was over after {count.made} of {repeat.count} attempts",
                code=Code.NO_TIME,
            )
        failed = count.add(check)
        final = count.too_many or _is_final(failed, policy.stop_on)
    return tuple(count.findings(passed=not final))


@dataclass(slots=True)
class _Count:
    """The attempts of a ``repeat``: the last ones, and the reasons."""

    repeat: Repeat
    made: int = 0
    passed: Findings = ()
    failed: Findings = ()
    failures: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def add(self, check: Check) -> Findings:
        """Make an attempt, and return its findings if it failed.

        Raises:
            CannotMeasure: too many attempts could not measure, and none failed.
        """
        self.made += 1
        try:
            findings = _attempt(check)
        except (CannotMeasure, Inconclusive) as error:
            self.errors.append(str(error))
            if self.too_many and not self.failures:
                raise
            return ()
        failures = _failures(findings)
        if not failures:
            self.passed = findings
            return ()
        self.failed = findings
        self.failures.append("; ".join(each.summary for each in failures))
        return findings

    @property
    def too_many(self) -> bool:
        return (
            len(self.failures) > self.repeat.failures
            or len(self.errors) > self.repeat.errors
        )

    def findings(self, *, passed: bool) -> Iterator[Finding]:
        yield from self.passed if passed else self.failed
        repeat, bad, lost = self.repeat, len(self.failures), len(self.errors)
        summary = (
            f"{bad} of {self.made} attempts failed (maximum {repeat.failures} of "
            f"{repeat.count}), {lost} could not measure (maximum {repeat.errors})"
        )
        yield Finding(
            ok=passed,
            code=Code.REPEAT,
            summary=summary,
            evidence={
                "attempts": self.made,
                "failures": self.failures[-_SHOWN:],
                "errors": self.errors[-_SHOWN:],
            },
            waiver=f"repeat: {summary}" if passed and (bad or lost) else "",
        )
