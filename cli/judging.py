"""Run the steps of one event without AWS, and show them while they run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from cli.given import Given, no_aws
from cli.words import step_table, verdict_lines
from hookgate.bench import make_bench
from hookgate.codes import Code
from hookgate.context import DeploymentContext
from hookgate.deadline import Deadline
from hookgate.engine import Bench, judge
from hookgate.errors import CannotMeasure, InputError, Place
from hookgate.http_probe.address import AddressPolicy
from hookgate.model import LifecycleEvent, Outcome, Reason, Status
from hookgate.plan import Plan, Step
from hookgate.plan.document import parse
from hookgate.record import outcome_record, verdict_record
from hookgate.redaction import Secrets
from hookgate.registry import did_you_mean
from hookgate.validator import Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The steps of an event, and which of them ``--only`` and ``--skip`` leave out.

    Attributes:
        plan: the plan of the steps.
        steps: all steps, in the plan's order.
        skipped: the outcomes of those that do not run, by name.
        waivers: what the verdict lists of them.
    """

    plan: Plan
    steps: tuple[Step, ...]
    skipped: Mapping[str, Outcome]
    waivers: tuple[str, ...]

    @property
    def run(self) -> tuple[Step, ...]:
        """The steps that run; none needs one that does not."""
        return tuple(each for each in self.steps if each.name not in self.skipped)


def select(
    plan: Plan, event: LifecycleEvent, only: Sequence[str], skip: Sequence[str]
) -> Selection:
    """Leave out steps.

    A step that is left out on purpose does not block. One that needs it is skipped, and
    still blocks: it could not show anything.

    Args:
        plan: the plan.
        event: the lifecycle event whose steps run.
        only: names of the steps to run, with those that they need; empty for all.
        skip: names of the steps to leave out.

    Raises:
        click.BadParameter: no step has such a name.
        PlanError: the plan has no steps for the event.
    """
    steps = plan.steps(event)
    needs = {step.name: step.needs for step in steps}
    for option, names in (("--only", only), ("--skip", skip)):
        for name in names:
            if name not in needs:
                hint = did_you_mean(name, needs)
                raise click.BadParameter(f"no step {name!r}{hint}", param_hint=option)
    kept = set(only or needs)
    while needed := {need for name in kept for need in needs[name]} - kept:
        kept |= needed
    reasons = {name: "skipped by --only" for name in needs if name not in kept}
    reasons |= dict.fromkeys(skip, "skipped by --skip")
    skipped: dict[str, Outcome] = {}
    for step in steps:
        if step.name in reasons:
            reason = Reason(Code.STEP_DESELECTED, reasons[step.name])
            skipped[step.name] = _skipped(step, reason, blocking=False)
    waivers = [f"{name}: {each.reason}" for name, each in skipped.items()]
    while unmet := [
        step
        for step in steps
        if step.name not in skipped and any(each in skipped for each in step.needs)
    ]:
        for step in unmet:
            names = ", ".join(each for each in step.needs if each in skipped)
            reason = Reason(Code.STEP_SKIPPED, f"needs {names}, which did not run")
            skipped[step.name] = _skipped(step, reason, blocking=step.blocking)
            if not step.blocking:
                waivers.append(f"{step.name}: skipped, but it does not block")
    return Selection(plan=plan, steps=steps, skipped=skipped, waivers=tuple(waivers))


def _skipped(step: Step, reason: Reason, *, blocking: bool) -> Outcome:
    return Outcome(
        name=step.name,
        use=step.use,
        status=Status.SKIPPED,
        blocking=blocking,
        reason=reason.text,
        code=reason.code,
    )


def judged(
    selection: Selection,
    context: DeploymentContext,
    given: Given,
    seconds: float,
    console: Console,
) -> dict[str, Any]:
    """Run the selected steps, and print their outcomes and the verdict.

    Args:
        selection: the steps that run, and those that do not.
        context: the event and its listeners.
        given: values of placeholders and secrets.
        seconds: the timeout of all steps together.
        console: where they are shown.

    Returns:
        The verdict record.

    Raises:
        InputError: the plan's target names a value that was not given.
    """
    plan = selection.plan
    rows = {step.name: _row(step, "waiting") for step in selection.steps}
    rows |= {name: outcome_record(each) for name, each in selection.skipped.items()}

    def table() -> Table:
        """The steps now: built when it is drawn, not for every change."""
        return step_table(list(rows.values()))

    with Live(console=console, transient=True, get_renderable=table):

        def show(name: str, row: Mapping[str, Any]) -> None:
            rows[name] = dict(row)

        bench = _bench(
            plan,
            context,
            given,
            announce=lambda outcome: show(outcome.name, outcome_record(outcome)),
            begin=lambda step: show(step.name, _row(step, "running")),
        )
        deadline = Deadline.after(seconds)
        verdict = judge(bench, selection.run, deadline, concurrency=plan.concurrency)
    outcomes = {**selection.skipped, **{e.name: e for e in verdict.outcomes}}
    verdict = replace(
        verdict,
        outcomes=tuple(outcomes[step.name] for step in selection.steps),
        optouts=verdict.optouts + selection.waivers,
    )
    record = verdict_record(verdict, None)
    console.print(Group(step_table(record["outcomes"]), *verdict_lines(record)))
    _hint(selection.run, record, console)
    return record


def _bench(
    plan: Plan,
    context: DeploymentContext,
    given: Given,
    *,
    announce: Callable[[Outcome], None],
    begin: Callable[[Step], None],
) -> Bench:
    try:
        return make_bench(
            plan,
            context,
            secrets=Secrets(given.secret),
            aws=no_aws,
            policy=AddressPolicy.of_command(),
            log=_log,
            announce=announce,
            begin=begin,
            given=given.values,
        )
    except CannotMeasure as error:
        raise InputError(
            f"{_target(plan)}: target: {error}; give it with --set NAME=VALUE",
            code=Code.PLACEHOLDER_VALUE,
        ) from None


def _hint(steps: Sequence[Step], record: Mapping[str, Any], console: Console) -> None:
    """Print what to do about errored steps that need AWS."""
    asks_aws = {step.name for step in steps if step.validator.needs_aws}
    without = [
        each["name"]
        for each in record["outcomes"]
        if each["status"] == "errored" and each["name"] in asks_aws
    ]
    if without:
        console.print(
            f"  hint: these steps need AWS: {', '.join(without)}. Skip them with "
            "--skip NAME, or run them in hookgate rehearse",
            style="yellow",
        )


def _target(plan: Plan) -> Place:
    file = plan.origin.source
    document, _ = parse(Path(file).read_bytes(), file)
    return document.key(("target",))


def _row(step: Step, status: str) -> dict[str, Any]:
    return {
        "name": step.name,
        "status": status,
        "blocking": step.blocking,
        "duration_ms": 0,
        "reason": "",
    }


def _log(step: str) -> Log:
    return _StepLog(logging.getLogger(f"hookgate.{step}"))


class _StepLog:
    """A step's log, through the standard library's logging."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def info(self, message: str) -> None:
        """Write a line at level INFO."""
        self._logger.info(message)
