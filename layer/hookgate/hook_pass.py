"""One pass, downhill: deployment, plan, steps, verdict, report.

From the moment the two ids are known, every path ends in the report.
"""

from __future__ import annotations

import contextlib
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hookgate.aws.discovery import discover
from hookgate.aws.identity import Identified, identify
from hookgate.aws.status import RESERVE
from hookgate.bench import make_bench
from hookgate.codes import Code
from hookgate.context import Deployment, DeploymentContext
from hookgate.deadline import Deadline
from hookgate.engine import begin, judge
from hookgate.engine.presentation import code_of, told, words
from hookgate.engine.step_output import routed_output
from hookgate.errors import CannotMeasure, HookgateError
from hookgate.event import HookEvent
from hookgate.model import LifecycleEvent, Reason, Verdict
from hookgate.plan import Plan, check_fits
from hookgate.record import bounded_record
from hookgate.redaction import Secrets
from hookgate.services import Services
from hookgate.watchdog import Watch

#: Seconds after which CodeDeploy gives an event up (its documented quota).
HOUR = 3600.0
#: Seconds by which the watchdog lets this process be late before it speaks itself.
LATE = 5.0


class Aborted(HookgateError):
    """The pass ended before judging; the reasons are by the part that stopped."""

    def __init__(self, reasons: dict[str, Reason]) -> None:
        self.reasons = reasons
        first = next(iter(reasons.values()))
        message = "; ".join(each.text for each in reasons.values())
        super().__init__(message, code=first.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class HookPass:
    """One invocation of a hook, and what it works with."""

    event: LifecycleEvent
    hook: HookEvent
    services: Services
    deadline: Deadline

    def run(self) -> dict[str, Any]:
        """Decide and report; returns the verdict record.

        Raises:
            ReportError: CodeDeploy could not be told.
        """
        seconds = self.deadline.remaining + LATE
        with self.services.watchdog.watch(self.hook, self.event, seconds) as watch:
            verdict, deployment = self._decide(watch)
            watch.reporting()
            return self.conclude(verdict, deployment)

    def conclude(
        self, verdict: Verdict, deployment: Deployment | None
    ) -> dict[str, Any]:
        """Tell the verdict to every reporter, then to CodeDeploy."""
        for reporter in self.services.reporters:
            try:
                reporter.publish(verdict, deployment)
            except Exception as error:  # noqa: BLE001 - telling must not keep the report
                self._problem(f"{type(reporter).__name__} failed: {told(error)}")
        if not self.services.status.report(self.hook, verdict.status):
            self._problem("the lifecycle event was over before this report")
        return bounded_record(verdict, deployment)

    def give_up(self, part: str, error: Exception) -> dict[str, Any]:
        """Conclude a pass of which ``part`` failed before it could begin."""
        verdict = Verdict.aborted(self.event, {part: self._reason(error)})
        return self.conclude(verdict, None)

    def _decide(self, watch: Watch) -> tuple[Verdict, Deployment | None]:
        """The verdict, whatever happens on the way to it."""
        deployment: Deployment | None = None
        secrets = Secrets(self.services.secrets)
        try:
            # Around the reading of the plan too: it imports plugins, which may print.
            with routed_output():
                watch.note("identifying the deployment")
                identified = self._identify()
                deployment = identified.deployment
                watch.identified(deployment)
                return self._judge(identified, watch, secrets), deployment
        except Aborted as error:
            reasons = error.reasons
        except HookgateError as error:
            reasons = {"discovery": Reason(code_of(error), words(error))}
        except BaseException as error:  # noqa: BLE001 - silence would last an hour
            frames = "".join(traceback.format_tb(error.__traceback__))
            self._problem(
                secrets.mask(f"Hookgate itself failed: {told(error)}\n{frames}")
            )
            defect = f"Hookgate itself failed, which is a defect: {told(error)}"
            reasons = {"hookgate": Reason(Code.HOOK_DEFECT, defect)}
        masked = {
            part: Reason(reason.code, secrets.mask(reason.text))
            for part, reason in reasons.items()
        }
        return Verdict.aborted(self.event, masked), deployment

    def _identify(self) -> Identified:
        aws, hook, event = self.services.aws, self.hook, self.event
        asked = begin(
            "finding the deployment",
            lambda: identify(aws, hook, event, self.services.clock),
        )
        return asked.result(self.deadline)

    def _judge(self, identified: Identified, watch: Watch, secrets: Secrets) -> Verdict:
        watch.note("reading the plan and discovering the deployment")
        deadline = self._within_the_hour(identified.deployment)
        watch.due(deadline.remaining + LATE)
        plan, context = self._prepare(identified, deadline)
        bench = make_bench(
            plan,
            context,
            secrets=secrets,
            aws=self.services.aws,
            policy=self.services.policy,
            log=self.services.log.step,
            announce=self.services.log.outcome,
            begin=lambda step: watch.note(f"running step {step.name}"),
        )
        steps = plan.steps(self.event)
        return judge(bench, steps, deadline, concurrency=plan.concurrency)

    def _prepare(
        self, identified: Identified, deadline: Deadline
    ) -> tuple[Plan, DeploymentContext]:
        """The plan and the context, asked for side by side.

        Raises:
            Aborted: with the reasons of both, if both stop.
        """
        aws, plans, event = self.services.aws, self.services.plans, self.event
        discovery = begin("discovery", lambda: discover(aws, identified, event))
        reasons: dict[str, Reason] = {}
        plan: Plan | None = None
        context: DeploymentContext | None = None
        try:
            plan = begin(
                "reading the plan", lambda: plans.plan(identified.deployment)
            ).result(deadline)
            plan.steps(event)
            check_fits(plan, event, deadline.remaining)
        except BaseException as error:  # noqa: BLE001 - must not hide the other's reason
            reasons["plan"] = self._reason(error)
        try:
            context = discovery.result(deadline)
        except BaseException as error:  # noqa: BLE001 - as above
            reasons["discovery"] = self._reason(error)
        if plan is None or context is None or reasons:
            raise Aborted(reasons)
        return plan, context

    def _reason(self, error: BaseException) -> Reason:
        if isinstance(error, HookgateError):
            return Reason(code_of(error), words(error))
        self._problem(f"Hookgate itself failed: {told(error)}")
        defect = f"Hookgate itself failed, which is a defect: {told(error)}"
        return Reason(Code.HOOK_DEFECT, defect)

    def _within_the_hour(self, deployment: Deployment) -> Deadline:
        """The function's own deadline, or CodeDeploy's if that is earlier."""
        if deployment.event_started_at is None:
            return self.deadline
        gone = datetime.now(UTC) - deployment.event_started_at
        left = HOUR - gone.total_seconds() - RESERVE
        if left <= 0:
            what = f"CodeDeploy's hour for {self.event} is over"
            raise CannotMeasure(what, code=Code.HOOK_LATE)
        return self.deadline.within(left)

    def _problem(self, message: str) -> None:
        # The log is the last place to tell of a trouble with the log.
        with contextlib.suppress(Exception):
            self.services.log.problem(message)
