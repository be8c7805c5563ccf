"""Findings, outcomes and verdicts.

Standard library only. ``Verdict.status`` is the only place that decides whether a
deployment may continue.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from hookgate.errors import PlanOrigin


class LifecycleEvent(StrEnum):
    """The five ECS lifecycle events at which CodeDeploy invokes a hook, in order."""

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
    """The result of a step."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    ERRORED = "errored"
    SKIPPED = "skipped"


class HookStatus(StrEnum):
    """The two statuses that CodeDeploy accepts."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


#: The units of CloudWatch that a metric may have.
UNITS = frozenset(
    {"Count", "Percent", "Milliseconds", "Seconds", "Bytes", "Count/Second", "None"}
)


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that a step publishes to CloudWatch beside its own metrics.

    Args:
        name: letters, digits and ``_``, at most 64; such as ``ErrorRate``.
        value: a finite number.
        unit: a unit of CloudWatch, such as ``Count``, ``Percent`` or ``Milliseconds``.

    Raises:
        ValueError: one of them is not valid.
    """

    name: str
    value: float
    unit: str = "Count"

    def __post_init__(self) -> None:
        """Check the parts."""
        if not re.fullmatch("[A-Za-z][A-Za-z0-9_]{0,63}", self.name):
            raise ValueError(f"not a valid name of a metric: {self.name[:64]!r}")
        if self.unit not in UNITS:
            units = ", ".join(sorted(UNITS))
            raise ValueError(f"not a unit: {self.unit[:64]!r}; write one of {units}")
        if not math.isfinite(self.value):
            raise ValueError(f"the metric {self.name} is {self.value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One observation of a validator.

    Whether it blocks the deployment is decided by the plan (``blocking``), not by the
    validator.

    Args:
        ok: whether it is satisfied.
        summary: one sentence for a person; not stable.
        code: names the kind of finding, stable. By default the name of the validator,
            such as ``TARGET-HEALTH``.
        evidence: the values that were observed, as JSON.
        waiver: the option without which the finding would not be satisfied, and what
            it accepts; the verdict lists it.
        certain: whether a retry cannot change a finding that is not satisfied.
        metrics: numbers to publish to CloudWatch with the step's metrics.
    """

    ok: bool
    summary: str
    code: str = ""
    evidence: Mapping[str, object] = field(default_factory=dict)
    waiver: str = ""
    certain: bool = False
    metrics: tuple[Metric, ...] = ()


class Reason(NamedTuple):
    """Why something did not pass."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a step, with its findings.

    ``waivers`` names the options without which the step would not have passed.
    ``code`` is the code of the first finding that is not satisfied, or of the error.
    It is empty when the findings made the step pass.
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

    @classmethod
    def of_hook(cls, part: str, reason: Reason) -> Outcome:
        """The outcome of a part of the hook itself, such as ``plan``, that failed."""
        return cls(
            name=part,
            use="hookgate",
            status=Status.ERRORED,
            blocking=True,
            reason=reason.text,
            code=reason.code,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The result of a hook.

    ``waivers`` describes every waiver that was used. ``plan`` is None if no plan was
    read.
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
        """All reasons why the verdict is Failed."""
        if self.status is HookStatus.SUCCEEDED:
            return ()
        blocking = [each for each in self.outcomes if each.blocking]
        if not blocking:
            return ("no blocking step ran, so the hook reports Failed",)
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
        """The verdict of an invocation that stopped before its steps.

        ``reasons`` has an entry for each part that stopped, such as ``plan``.
        """
        outcomes = tuple(Outcome.of_hook(*each) for each in reasons.items())
        return cls(event=event, outcomes=outcomes, plan=plan)
