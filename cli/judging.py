"""Judge the steps of one event without AWS, and show them while they run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

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
from hookgate.model import Outcome
from hookgate.plan import Plan, Step
from hookgate.plan.document import parse
from hookgate.record import outcome_record, verdict_record
from hookgate.redaction import Secrets
from hookgate.validator import Log


def judged(
    plan: Plan,
    context: DeploymentContext,
    given: Given,
    seconds: float,
    console: Console,
) -> dict[str, Any]:
    """Judge the steps of the context's event, and print what they came to.

    Args:
        plan: whose steps run.
        context: the event and its listeners.
        given: values of placeholders and secrets.
        seconds: how long all may take.
        console: where they are shown.

    Returns:
        The verdict record.

    Raises:
        InputError: the plan's target names something that was not given.
    """
    steps = plan.steps(context.event)
    waiting = {step.name: _row(step, "waiting") for step in steps}

    def table() -> Table:
        """The steps as they stand: made when it is looked at, not for every change."""
        return step_table(list(waiting.values()))

    with Live(console=console, transient=True, get_renderable=table):

        def show(name: str, row: Mapping[str, Any]) -> None:
            waiting[name] = dict(row)

        bench = _bench(
            plan,
            context,
            given,
            announce=lambda outcome: show(outcome.name, outcome_record(outcome)),
            begin=lambda step: show(step.name, _row(step, "running")),
        )
        deadline = Deadline.after(seconds)
        verdict = judge(bench, steps, deadline, concurrency=plan.concurrency)
    record = verdict_record(verdict, None)
    console.print(Group(step_table(record["outcomes"]), *verdict_lines(record)))
    _hint(steps, record, console)
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
    """Say why steps that ask AWS could not be judged here."""
    asks_aws = {step.name for step in steps if step.validator.needs_aws}
    without = [
        each["name"]
        for each in record["outcomes"]
        if each["status"] == "errored" and each["name"] in asks_aws
    ]
    if without:
        console.print(
            f"  hint: what asks about a deployment has none here ({', '.join(without)})"
            "; hookgate rehearse has one",
            style="yellow",
        )


def _target(plan: Plan) -> Place:
    document, _ = parse(Path(plan.file).read_bytes(), plan.file)
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
    """A step's log in the manner of the standard library: silent unless configured."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def info(self, message: str) -> None:
        """Write a line at level INFO."""
        self._logger.info(message)
