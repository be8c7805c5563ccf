"""One invocation: deployment, plan, steps, verdict, report.

Once the two ids are known, every path ends in the report.
"""

from __future__ import annotations

import contextlib
import traceback
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from hookgate.aws.codedeploy import (
    CHECK,
    RESERVE,
    FoundDeployment,
    ended_as,
    find_deployment,
    is_open,
)
from hookgate.aws.discovery import discover
from hookgate.codes import Code
from hookgate.context import DeploymentContext, DeploymentInfo
from hookgate.deadline import Deadline
from hookgate.engine import begin, run_steps
from hookgate.engine.step_runner import (
    code_of,
    error_message,
    error_with_place,
    routed_output,
)
from hookgate.errors import CannotMeasure, HookgateError, PlanError, PlanOrigin
from hookgate.event import HookEvent
from hookgate.model import LifecycleEvent, Outcome, Reason, Status, Verdict
from hookgate.plan import Plan, check_fits
from hookgate.redaction import Secrets
from hookgate.reporting.record import bounded_record
from hookgate.run_context import make_run_context
from hookgate.services import Services
from hookgate.watchdog import Watch

#: Seconds after which CodeDeploy fails an event without a report (a documented quota).
HOUR = 3600.0
#: Seconds by which the report must precede the end of that hour: the clocks of Lambda
#: and CodeDeploy differ, and the start has a resolution of one second at best.
HOUR_MARGIN = 60.0
#: Seconds that the watchdog process waits after the deadline before it reports.
LATE = 5.0


class Aborted(HookgateError):
    """The invocation stopped before its steps; ``reasons`` are by part."""

    def __init__(self, reasons: dict[str, Reason]) -> None:
        self.reasons = reasons
        first = next(iter(reasons.values()))
        message = "; ".join(each.text for each in reasons.values())
        super().__init__(message, code=first.code)


@dataclass(slots=True)
class _Known:
    """What is known so far, for the verdict of an invocation that stops early."""

    deployment: DeploymentInfo | None = None
    plan: PlanOrigin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One invocation of a hook."""

    event: LifecycleEvent
    hook: HookEvent
    services: Services
    deadline: Deadline

    def run(self, waivers: tuple[str, ...] = ()) -> dict[str, Any]:
        """Run the steps and report; returns the verdict record.

        Args:
            waivers: waivers that the verdict lists first.

        Raises:
            ReportError: CodeDeploy did not confirm the report.
        """
        seconds = self.deadline.remaining + LATE
        with self.services.watchdog.watch(self.hook, self.event, seconds) as watch:
            verdict, deployment = self._decide(watch)
            verdict = replace(verdict, waivers=waivers + verdict.waivers)
            damage = watch.damage()
            if damage:
                verdict = _untrusted(verdict, damage)
            return self._report(verdict, deployment, watch)

    def _report(
        self, verdict: Verdict, deployment: DeploymentInfo | None, watch: Watch
    ) -> dict[str, Any]:
        """Publish the verdict and report it to CodeDeploy.

        The metrics are written before the report. Where CodeDeploy may have accepted
        another report of this lifecycle event already, as in a retry after a response
        was lost, they are written only if they do not contradict it.
        """
        first = self._is_open(deployment)
        watch.reporting()
        if first:
            self._publish(verdict, deployment)
        accepted = self.services.status.report(self.hook, verdict.status)
        if not first:
            ended = verdict.status if accepted else self._ended_as(deployment)
            if ended == verdict.status:
                self._publish(verdict, deployment)
            else:
                self._problem(
                    f"{self.event} had already ended ({ended or 'status not known'}), "
                    f"so the verdict {verdict.status} is not published: "
                    f"{'; '.join(verdict.reasons)}"
                )
        elif not accepted:
            self._problem(f"{self.event} had already ended before this report")
        return bounded_record(verdict, deployment)

    def _publish(self, verdict: Verdict, deployment: DeploymentInfo | None) -> None:
        for reporter in self.services.reporters:
            try:
                reporter.publish(verdict, deployment)
            except Exception as error:  # noqa: BLE001 - must not keep the report
                self._problem(
                    f"{type(reporter).__name__} failed: {error_with_place(error)}"
                )

    def _is_open(self, deployment: DeploymentInfo | None) -> bool:
        """Whether CodeDeploy is known to have accepted no report of the event yet."""
        if deployment is None:
            return False
        aws, event = self.services.aws, self.event
        deadline = Deadline.after(CHECK, self.services.clock)
        pending = begin("checking the event", lambda: is_open(aws, deployment, event))
        try:
            return pending.result(deadline)
        except Exception as error:  # noqa: BLE001 - must not keep the report
            self._problem(
                f"the status of {event} is not known: {error_with_place(error)}"
            )
            return False

    def _ended_as(self, deployment: DeploymentInfo | None) -> str | None:
        if deployment is None:
            return None
        return ended_as(self.services.aws, deployment, self.event, self.services.clock)

    def _decide(self, watch: Watch) -> tuple[Verdict, DeploymentInfo | None]:
        """The verdict; never raises."""
        known = _Known()
        secrets = Secrets(self.services.secrets)
        try:
            # Around the plan too, since reading it imports plugins, which may print.
            with routed_output():
                watch.note("finding the deployment")
                found = self._find()
                known.deployment = found.deployment
                watch.set_deployment(found.deployment)
                verdict = self._run_steps(found, watch, secrets, known)
                return verdict, known.deployment
        except Aborted as error:
            reasons = error.reasons
        except HookgateError as error:
            reasons = {"discovery": Reason(code_of(error), error_message(error))}
        except BaseException as error:  # noqa: BLE001 - without a report the deployment waits an hour
            frames = "".join(traceback.format_tb(error.__traceback__))
            self._problem(
                secrets.mask(
                    f"Hookgate itself failed: {error_with_place(error)}\n{frames}"
                )
            )
            defect = (
                f"Hookgate itself failed, which is a defect: {error_with_place(error)}"
            )
            reasons = {"hookgate": Reason(Code.HOOK_DEFECT, defect)}
        masked = {
            part: Reason(reason.code, secrets.mask(reason.text))
            for part, reason in reasons.items()
        }
        return Verdict.aborted(self.event, masked, known.plan), known.deployment

    def _find(self) -> FoundDeployment:
        aws, hook, event = self.services.aws, self.hook, self.event
        return begin(
            "finding the deployment",
            lambda: find_deployment(aws, hook, event, self.services.clock),
        ).result(self.deadline)

    def _run_steps(
        self, found: FoundDeployment, watch: Watch, secrets: Secrets, known: _Known
    ) -> Verdict:
        watch.note("reading the plan and discovering the deployment")
        deadline = self._within_the_hour(found.deployment)
        watch.due(deadline.remaining + LATE)
        plan, context = self._prepare(found, deadline, known)
        run_context = make_run_context(
            plan,
            context,
            secrets=secrets,
            aws=self.services.aws,
            policy=self.services.policy,
            log=self.services.log.step,
            on_outcome=self.services.log.outcome,
            on_start=lambda step: watch.note(f"running step {step.name}"),
        )
        steps = plan.steps(self.event)
        return run_steps(run_context, steps, deadline, concurrency=plan.concurrency)

    def _prepare(
        self, found: FoundDeployment, deadline: Deadline, known: _Known
    ) -> tuple[Plan, DeploymentContext]:
        """Read the plan and discover the deployment, concurrently.

        Raises:
            Aborted: one of the two failed, or both; with all reasons.
        """
        aws, plans, event = self.services.aws, self.services.plans, self.event
        discovery = begin("discovery", lambda: discover(aws, found, event))
        reasons: dict[str, Reason] = {}
        plan: Plan | None = None
        context: DeploymentContext | None = None
        try:
            plan = begin(
                "reading the plan", lambda: plans.plan(found.deployment)
            ).result(deadline)
            known.plan = plan.origin
            plan.steps(event)
            check_fits(plan, event, deadline.remaining)
        except BaseException as error:  # noqa: BLE001 - must not hide the other's reason
            reasons["plan"] = self._reason(error)
            if isinstance(error, PlanError):
                known.plan = known.plan or error.plan
        try:
            context = discovery.result(deadline)
        except BaseException as error:  # noqa: BLE001 - as above
            reasons["discovery"] = self._reason(error)
        if plan is None or context is None or reasons:
            raise Aborted(reasons)
        return plan, context

    def _reason(self, error: BaseException) -> Reason:
        if isinstance(error, HookgateError):
            return Reason(code_of(error), error_message(error))
        self._problem(f"Hookgate itself failed: {error_with_place(error)}")
        defect = f"Hookgate itself failed, which is a defect: {error_with_place(error)}"
        return Reason(Code.HOOK_DEFECT, defect)

    def _within_the_hour(self, deployment: DeploymentInfo) -> Deadline:
        """The function's deadline, or CodeDeploy's if that is earlier."""
        if deployment.event_started_at is None:
            return self.deadline
        elapsed = datetime.now(UTC) - deployment.event_started_at
        left = HOUR - HOUR_MARGIN - elapsed.total_seconds() - RESERVE
        if left <= 0:
            raise CannotMeasure(
                f"{self.event} began {elapsed.total_seconds() / 60:.1f} minutes ago; "
                "CodeDeploy waits one hour, so a report may be too late",
                code=Code.HOOK_LATE,
            )
        return self.deadline.within(left)

    def _problem(self, message: str) -> None:
        # A log that fails has no other place to be reported.
        with contextlib.suppress(Exception):
            self.services.log.problem(message)


def _untrusted(verdict: Verdict, damage: str) -> Verdict:
    """Add an errored outcome: a validator damaged the process."""
    process = Outcome(
        name="process",
        use="hookgate",
        status=Status.ERRORED,
        blocking=True,
        reason=damage,
        code=Code.HOOK_PROCESS,
    )
    return replace(verdict, outcomes=(*verdict.outcomes, process))
