"""One invocation: deployment, plan, steps, verdict, report.

Once the two ids are known, every path ends in the report.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from hookgate.aws.calls import AwsCalls
from hookgate.aws.codedeploy import (
    CHECK,
    RESERVE,
    CodeDeployStatus,
    FoundDeployment,
    ended_as,
    find_deployment,
    is_open,
)
from hookgate.aws.discovery import discover
from hookgate.aws.idempotency import DynamoDbOnce, Work, without_table
from hookgate.aws.plan_sources import PlanSources, SecretReader
from hookgate.codes import Code
from hookgate.context import Aws, DeploymentContext, DeploymentInfo, HookEvent
from hookgate.deadline import Clock, Deadline, SystemClock, begin
from hookgate.engine import run_steps
from hookgate.engine.step_runner import (
    code_of,
    error_message,
    error_with_place,
    routed_output,
)
from hookgate.environment import Environment
from hookgate.errors import CannotMeasure, HookgateError, PlanError, PlanOrigin
from hookgate.http.address import AddressPolicy
from hookgate.model import LifecycleEvent, Outcome, Reason, Verdict
from hookgate.plan import Plan, check_fits
from hookgate.redaction import Secrets
from hookgate.reporting import EmfMetrics, InvocationLog, bounded_record
from hookgate.run_context import make_run_context
from hookgate.watchdog import Watchdog

#: Seconds after which CodeDeploy fails an event without a report (a documented quota).
HOUR = 3600.0
#: Seconds by which the report must precede the end of that hour: the clocks of Lambda
#: and CodeDeploy differ, and the start has a resolution of one second at best.
HOUR_MARGIN = 60.0
#: Seconds that the watchdog process waits after the deadline before it reports.
LATE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The services of an invocation; tests replace them with small fakes.

    A reporter that fails is logged and changes nothing.
    """

    aws: Aws
    policy: AddressPolicy
    plans: PlanSources
    secrets: Callable[[str], str]
    reporters: tuple[InvocationLog | EmfMetrics, ...]
    status: CodeDeployStatus
    log: InvocationLog
    once: Callable[[str, Any, Work, Deadline], dict[str, Any]]
    watchdog: Watchdog
    clock: Clock


def connect(environment: Environment) -> Services:
    """Make the services of a deployed function."""
    aws = AwsCalls()
    log = InvocationLog.to()
    policy = AddressPolicy.of_stack(environment.allowed_targets)
    table = environment.idempotency_table
    return Services(
        aws=aws,
        policy=policy,
        plans=PlanSources(aws=aws, policy=policy, settings=environment),
        secrets=SecretReader(aws, environment.secret_prefix),
        reporters=(log, EmfMetrics(environment.metrics_namespace)),
        status=CodeDeployStatus(aws.client("codedeploy")),
        log=log,
        once=DynamoDbOnce(table, aws.client("dynamodb", attempts=2), log.problem)
        if table
        else without_table,
        watchdog=Watchdog(log.problem),
        clock=SystemClock(),
    )


def run_hook(
    event: LifecycleEvent, payload: object, context: Any, services: Services
) -> dict[str, Any]:
    """Run one invocation and report its verdict.

    Args:
        event: the lifecycle event of the function that was invoked.
        payload: the payload that CodeDeploy sent.
        context: Lambda's context; its remaining time limits the invocation.
        services: AWS, the plans, the reporters and the clock.

    Returns:
        The verdict record.

    Raises:
        InputError: the payload has no ids, so no report is possible.
        ReportError: CodeDeploy did not confirm the report; Lambda retries.
    """
    hook = HookEvent.parse(payload)
    services.log.begin(hook, event)
    seconds = context.get_remaining_time_in_millis() / 1000 - RESERVE
    deadline = Deadline.after(seconds, services.clock)
    run = Invocation(event=event, hook=hook, services=services, deadline=deadline).run
    return services.once(hook.execution_id, context, run, deadline)


class _Stopped(Exception):
    """The invocation stopped before its steps; ``reasons`` are by part."""

    def __init__(self, reasons: dict[str, Reason]) -> None:
        super().__init__()
        self.reasons = reasons


@dataclass(slots=True, kw_only=True)
class Invocation:
    """One invocation of a hook."""

    event: LifecycleEvent
    hook: HookEvent
    services: Services
    deadline: Deadline
    _deployment: DeploymentInfo | None = field(default=None, init=False)
    _plan: PlanOrigin | None = field(default=None, init=False)
    _secrets: Secrets = field(init=False)

    def run(self, waivers: tuple[str, ...] = ()) -> dict[str, Any]:
        """Run the steps and report; returns the verdict record.

        Args:
            waivers: waivers that the verdict lists first.

        Raises:
            ReportError: CodeDeploy did not confirm the report.
        """
        self._secrets = Secrets(self.services.secrets)
        seconds = self.deadline.remaining + LATE
        with self.services.watchdog.watch(self.hook, self.event, seconds) as watch:
            verdict = self._decide(watch)
            verdict = replace(verdict, waivers=waivers + verdict.waivers)
            if damage := watch.damage():
                process = Outcome.of_hook("process", Reason(Code.HOOK_PROCESS, damage))
                verdict = replace(verdict, outcomes=(*verdict.outcomes, process))
            return self._report(verdict, watch)

    def _report(self, verdict: Verdict, watch: Watchdog) -> dict[str, Any]:
        """Publish the verdict and report it to CodeDeploy.

        The metrics are written before the report. Where CodeDeploy may have accepted
        another report of this lifecycle event already, as in a retry after a response
        was lost, they are written only if they do not contradict it.
        """
        first = self._is_open()
        watch.reporting()
        if first:
            self._publish(verdict)
        accepted = self.services.status.report(self.hook, verdict.status)
        if first and not accepted:
            self._problem(f"{self.event} had already ended before this report")
        elif not first:
            ended = verdict.status if accepted else self._ended_as()
            if ended == verdict.status:
                self._publish(verdict)
            else:
                self._problem(
                    f"{self.event} had already ended ({ended or 'status not known'}), "
                    f"so the verdict {verdict.status} is not published: "
                    f"{'; '.join(verdict.reasons)}"
                )
        return bounded_record(verdict, self._deployment)

    def _publish(self, verdict: Verdict) -> None:
        for reporter in self.services.reporters:
            try:
                reporter.publish(verdict, self._deployment)
            except Exception as error:  # noqa: BLE001 - must not keep the report
                self._problem(
                    f"{type(reporter).__name__} failed: {error_with_place(error)}"
                )

    def _is_open(self) -> bool:
        """Whether CodeDeploy is known to have accepted no report of the event yet."""
        aws, deployment, event = self.services.aws, self._deployment, self.event
        if deployment is None:
            return False
        deadline = Deadline.after(CHECK, self.services.clock)
        pending = begin("checking the event", lambda: is_open(aws, deployment, event))
        try:
            return pending.result(deadline)
        except Exception as error:  # noqa: BLE001 - must not keep the report
            self._problem(
                f"the status of {event} is not known: {error_with_place(error)}"
            )
            return False

    def _ended_as(self) -> str | None:
        if self._deployment is None:
            return None
        aws, clock = self.services.aws, self.services.clock
        return ended_as(aws, self._deployment, self.event, clock)

    def _decide(self, watch: Watchdog) -> Verdict:
        """The verdict; never raises."""
        try:
            # Around the plan too, since reading it imports plugins, which may print.
            with routed_output():
                return self._run_steps(watch)
        except _Stopped as stopped:
            reasons = stopped.reasons
        except BaseException as error:  # noqa: BLE001 - without a report the deployment waits an hour
            part = "discovery" if isinstance(error, HookgateError) else "hookgate"
            reasons = {part: self._reason(error)}
        return Verdict.aborted(self.event, reasons, self._plan)

    def _run_steps(self, watch: Watchdog) -> Verdict:
        aws, clock = self.services.aws, self.services.clock
        watch.note("finding the deployment")
        found = begin(
            "finding the deployment",
            lambda: find_deployment(aws, self.hook, self.event, clock),
        ).result(self.deadline)
        self._deployment = found.deployment
        watch.set_deployment(found.deployment)
        watch.note("reading the plan and discovering the deployment")
        deadline = self._within_the_hour(found.deployment)
        watch.due(deadline.remaining + LATE)
        plan, context = self._prepare(found, deadline)
        run_context = make_run_context(
            plan,
            context,
            secrets=self._secrets,
            aws=aws,
            policy=self.services.policy,
            log=self.services.log.step,
            on_outcome=self.services.log.outcome,
            on_start=lambda step: watch.note(f"running step {step.name}"),
        )
        steps = plan.steps(self.event)
        return run_steps(run_context, steps, deadline, concurrency=plan.concurrency)

    def _prepare(
        self, found: FoundDeployment, deadline: Deadline
    ) -> tuple[Plan, DeploymentContext]:
        """Read the plan and discover the deployment, concurrently.

        Raises:
            _Stopped: one of the two failed, or both; with all reasons.
        """
        aws, plans, event = self.services.aws, self.services.plans, self.event
        discovery = begin("discovery", lambda: discover(aws, found, event))
        reading = begin("reading the plan", lambda: plans.plan(found.deployment))
        reasons: dict[str, Reason] = {}
        try:
            plan = reading.result(deadline)
            self._plan = plan.origin
            plan.steps(event)
            check_fits(plan, event, deadline.remaining)
        except BaseException as error:  # noqa: BLE001 - must not hide the other's reason
            reasons["plan"] = self._reason(error)
            if isinstance(error, PlanError):
                self._plan = self._plan or error.plan
        try:
            context = discovery.result(deadline)
        except BaseException as error:  # noqa: BLE001 - as above
            reasons["discovery"] = self._reason(error)
        if reasons:
            raise _Stopped(reasons)
        return plan, context

    def _reason(self, error: BaseException) -> Reason:
        """Why an error stops the invocation; a defect is logged with its traceback."""
        if isinstance(error, HookgateError):
            return Reason(code_of(error), self._secrets.mask(error_message(error)))
        place = error_with_place(error)
        defect = self._secrets.mask(
            f"Hookgate itself failed, which is a defect: {place}"
        )
        frames = "".join(traceback.format_tb(error.__traceback__))
        self._problem(self._secrets.mask(f"{defect}\n{frames}"))
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
