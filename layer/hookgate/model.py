"""The words of a verdict: of a validator, of a step, of the whole hook.

Standard library only. ``Verdict.status`` is the one place that decides whether a
deployment may go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from hookgate.errors import PlanOrigin

Evidence = Mapping[str, object]


class LifecycleEvent(StrEnum):
    """The five ECS lifecycle events at which CodeDeploy calls a function, in order."""

    BEFORE_INSTALL = "BeforeInstall"
    AFTER_INSTALL = "AfterInstall"
    AFTER_ALLOW_TEST_TRAFFIC = "AfterAllowTestTraffic"
    BEFORE_ALLOW_TRAFFIC = "BeforeAllowTraffic"
    AFTER_ALLOW_TRAFFIC = "AfterAllowTraffic"

    @property
    def test_listener_serves_green(self) -> bool:
        """Whether a request to the test listener reaches the replacement task set."""
        return self not in {LifecycleEvent.BEFORE_INSTALL, LifecycleEvent.AFTER_INSTALL}

    @property
    def production_listener_serves_green(self) -> bool:
        """Whether a request to the production listener reaches the replacement."""
        return self is LifecycleEvent.AFTER_ALLOW_TRAFFIC


class Status(StrEnum):
    """What one step came to."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    ERRORED = "errored"
    SKIPPED = "skipped"


class HookStatus(StrEnum):
    """The two answers that CodeDeploy accepts."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One observation that a validator states.

    Whether it matters is the plan's business (``blocking``), not the validator's.
    ``waiver`` names the option that made the finding hold where the default would
    not; the verdict repeats it. ``certain`` says of one that does
    not hold that no further attempt can change it. ``code`` names its kind: it stays
    the same when the summary is worded anew. One without gets its validator's name,
    such as ``TARGET-HEALTH``.
    """

    ok: bool
    summary: str
    code: str = ""
    evidence: Evidence = field(default_factory=dict)
    waiver: str = ""
    certain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one step came to, as the engine says it.

    ``waivers`` names the options without which the step would not have passed.
    ``code`` is the code of the reason: of the first finding that is not satisfied, or
    of the error. It is empty when the findings made the step pass.
    """

    name: str
    use: str
    status: Status
    blocking: bool
    reason: str
    code: str = ""
    duration_ms: int = 0
    findings: tuple[Finding, ...] = ()
    waivers: tuple[str, ...] = ()


class Reason(NamedTuple):
    """Why something did not pass: the code of its kind, and the words."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the whole hook came to.

    ``waivers`` names every waiver that was used, in words a person can read. ``plan``
    is None where no plan was read.
    """

    event: LifecycleEvent
    outcomes: tuple[Outcome, ...]
    plan: PlanOrigin | None = None
    waivers: tuple[str, ...] = ()
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    duration_ms: int = 0

    @property
    def status(self) -> HookStatus:
        """Succeeded only if a blocking step ran and every blocking step passed."""
        blocking = [each.status for each in self.outcomes if each.blocking]
        if blocking and all(status is Status.PASSED for status in blocking):
            return HookStatus.SUCCEEDED
        return HookStatus.FAILED

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the verdict is Failed: every reason, not only the first."""
        if self.status is HookStatus.SUCCEEDED:
            return ()
        blocking = [each for each in self.outcomes if each.blocking]
        if not blocking:
            return ("no blocking step ran, and silence is not consent",)
        return tuple(
            f"{each.name}: {each.reason}"
            for each in blocking
            if each.status is not Status.PASSED
        )

    @classmethod
    def aborted(
        cls,
        event: LifecycleEvent,
        reasons: Mapping[str, Reason],
        plan: PlanOrigin | None = None,
    ) -> Verdict:
        """The verdict of a hook that could not even begin to judge.

        ``reasons`` says for each part of the pass that stopped, for example ``plan``,
        why it did.
        """
        outcomes = tuple(
            Outcome(
                name=name,
                use="hookgate",
                status=Status.ERRORED,
                blocking=True,
                reason=reason.text,
                code=reason.code,
            )
            for name, reason in reasons.items()
        )
        return cls(event=event, outcomes=outcomes, plan=plan)
