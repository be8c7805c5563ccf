"""Run steps in parallel in the order of their needs, and decide the verdict.

A step ends in one of three ways: its thread returns an outcome, its timeout ends, or a
step that it needs did not pass.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from hookgate.codes import Code
from hookgate.context import DeploymentContext
from hookgate.deadline import Deadline, start
from hookgate.engine.step_runner import StepRun, routed_output
from hookgate.errors import PlanOrigin
from hookgate.model import Outcome, Reason, Status, Verdict
from hookgate.plan import Step
from hookgate.redaction import Secrets
from hookgate.units import seconds_text
from hookgate.validator import Tools

NOT_PROVEN = (
    "the target was not proven: the plan has no target.identity, so nothing shows that "
    "the responses are from the replacement task set"
)

CONSTANT = "target.identity is a constant, which any version can send"


def used_waivers(
    steps: Sequence[Step],
    outcomes: Sequence[Outcome],
    *,
    proven: bool,
    doubts: Sequence[str] = (),
) -> tuple[str, ...]:
    """Describe the waivers that were used.

    Args:
        steps: the steps of the event, in the order of ``outcomes``.
        outcomes: their outcomes.
        proven: whether responses were checked for the plan's ``target.identity``.
        doubts: why the responses prove nothing.
    """
    unproven = not proven and any(step.validator.asks_listener for step in steps)
    waivers = list(dict.fromkeys([*([NOT_PROVEN] if unproven else []), *doubts]))
    for step, outcome in zip(steps, outcomes, strict=True):
        if outcome.code == Code.STEP_DESELECTED:
            waivers.append(f"{step.name}: {outcome.reason}")
        elif not step.blocking:
            waivers.append(
                f"{step.name}: {outcome.status}, but it does not block "
                "(blocking: false)"
            )
        waivers += (f"{step.name}: {each}" for each in outcome.waivers)
    return tuple(waivers)


#: Seconds after its timeout that a validator has to return its findings.
GRACE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What the steps of an event share.

    Args:
        context: the deployment and its listeners.
        tools: makes the tools of a step that has a deadline.
        substitute: fills the placeholders of a text.
        secrets: reads and masks secrets.
        proven: whether responses are checked for ``target.identity``.
        doubts: called at the end: why the responses prove nothing.
        on_outcome: called with each outcome.
        on_start: called with each step that starts.
        plan: the source and version of the plan.
        waivers: waivers that the verdict lists whatever the outcomes are.
        deselected: the reasons why steps do not run, by name; they do not block.
    """

    context: DeploymentContext
    tools: Callable[[Step, Deadline], Tools]
    substitute: Callable[[str], str]
    secrets: Secrets
    proven: bool
    doubts: Callable[[], Sequence[str]] = lambda: ()
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None
    on_start: Callable[[Step], None] = lambda _step: None
    plan: PlanOrigin | None = None
    waivers: tuple[str, ...] = ()
    deselected: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Running:
    run: StepRun
    until: Deadline
    started: float


@dataclass(slots=True)
class StepScheduler:
    """The steps that run, and the outcomes of those that ended."""

    run_context: RunContext
    deadline: Deadline
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    running: dict[str, _Running] = field(default_factory=dict)
    answers: queue.SimpleQueue[Outcome] = field(default_factory=queue.SimpleQueue)

    def admit(self, step: Step, concurrency: int) -> bool:
        """Start a step, or skip it; returns False if it has to wait."""
        if text := self.run_context.deselected.get(step.name):
            advisory = replace(step, blocking=False)
            self._leave_out(advisory, Status.SKIPPED, Code.STEP_DESELECTED, text)
            return True
        if any(name not in self.outcomes for name in step.needs):
            return False
        unmet = [n for n in step.needs if self.outcomes[n].status is not Status.PASSED]
        if unmet:
            text = f"needs {', '.join(unmet)}, which did not pass"
            self._leave_out(step, Status.SKIPPED, Code.STEP_SKIPPED, text)
        elif self.deadline.expired:
            text = "no time left to start it"
            self._leave_out(step, Status.ERRORED, Code.STEP_NOT_STARTED, text)
        elif len(self.running) >= concurrency:
            return False
        else:
            self._start(step)
        return True

    def _leave_out(self, step: Step, status: Status, code: str, reason: str) -> None:
        self.end(
            Outcome(
                name=step.name,
                use=step.use,
                status=status,
                blocking=step.blocking,
                reason=reason,
                code=code,
            )
        )

    def admit_all(self, waiting: Sequence[Step], concurrency: int) -> list[Step]:
        """Admit steps in the plan's order; returns those that have to wait.

        With all places taken the rest is not checked, because it has to wait.
        """
        still: list[Step] = []
        for index, step in enumerate(waiting):
            if len(self.running) >= concurrency and not self.deadline.expired:
                return [*still, *waiting[index:]]
            if not self.admit(step, concurrency):
                still.append(step)
        return still

    def _start(self, step: Step) -> None:
        own = self.deadline.within(step.timeout)
        run = StepRun(
            step=step,
            context=self.run_context.context,
            tools=self.run_context.tools(step, own),
            substitute=self.run_context.substitute,
            secrets=self.run_context.secrets,
        )
        self.running[step.name] = _Running(run, own, own.clock.now())
        self.run_context.on_start(step)
        start(f"step {step.name}", lambda: self.answers.put(run()))

    def wait(self) -> None:
        """Wait for one outcome, or abandon all steps whose time is over."""
        first = min(each.until.at for each in self.running.values())
        now = self.deadline.clock.now()
        try:
            ended = [self.answers.get(timeout=max(0.0, first + GRACE - now))]
        except queue.Empty:
            ended = self._abandon_late(first)
        for outcome in ended:
            if self.running.pop(outcome.name, None):
                self.end(outcome)

    def _abandon_late(self, first: float) -> list[Outcome]:
        """Abandon all steps that are as late as the first, together.

        One after the other, each with its own grace, they would use up the time that is
        reserved for the report.
        """
        now = self.deadline.clock.now()
        over = max(first, now - GRACE)
        why = "the hook has no time left" if self.deadline.expired else "its timeout"
        abandoned = []
        for late in self.running.values():
            if late.until.at <= over:
                taken = now - late.started
                text = f"did not end within {seconds_text(taken)} and was abandoned"
                reason = Reason(Code.STEP_TIMEOUT, f"{text} ({why})")
                abandoned.append(late.run.outcome(Status.ERRORED, reason, taken))
        return abandoned

    def end(self, outcome: Outcome) -> None:
        """Keep an outcome and pass it on."""
        self.outcomes[outcome.name] = outcome
        self.run_context.on_outcome(outcome)


def run_steps(
    run_context: RunContext,
    steps: Sequence[Step],
    deadline: Deadline,
    *,
    concurrency: int = 8,
) -> Verdict:
    """Run the steps of an event and decide the verdict.

    Args:
        run_context: what the steps share.
        steps: in the plan's order; their needs form no cycle.
        deadline: when all steps must have ended.
        concurrency: the maximum number of steps that run at once.
    """
    scheduler = StepScheduler(run_context, deadline)
    started, started_at = deadline.clock.now(), datetime.now(UTC)
    waiting: Sequence[Step] = steps
    with routed_output():
        while waiting or scheduler.running:
            before = len(waiting)
            waiting = scheduler.admit_all(waiting, concurrency)
            if scheduler.running:
                scheduler.wait()
            elif len(waiting) == before and waiting:
                names = ", ".join(step.name for step in waiting)
                raise ValueError(f"no step can start, the needs form a cycle: {names}")
    outcomes = tuple(scheduler.outcomes[step.name] for step in steps)
    return Verdict(
        event=run_context.context.event,
        outcomes=outcomes,
        plan=run_context.plan,
        waivers=run_context.waivers
        + used_waivers(
            steps, outcomes, proven=run_context.proven, doubts=run_context.doubts()
        ),
        started_at=started_at,
        duration_ms=round((deadline.clock.now() - started) * 1000),
    )
