"""One attempt at an answer: what it found, and whether another could change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hookgate.codes import Code
from hookgate.errors import Defect, NoAnswer
from hookgate.model import Finding
from hookgate.patience.words import Patience
from hookgate.statuses import status_in


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
