"""``hookgate run``: one event's steps against a URL, without AWS."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from cli.exit_code import of_verdict
from cli.given import (
    given_secrets,
    no_aws,
    parse_url,
    read_seconds,
    read_values,
)
from cli.output import FILE, console_for, write_json, write_text
from cli.words import step_table, verdict_lines
from hookgate.bench import make_bench
from hookgate.context import DeploymentContext
from hookgate.deadline import Deadline
from hookgate.engine import judge
from hookgate.errors import CannotMeasure, InputError, Place
from hookgate.model import LifecycleEvent, Outcome
from hookgate.plan import Plan, Step, beside, check_fits, read_plan
from hookgate.plan.document import parse
from hookgate.record import outcome_record, verdict_record
from hookgate.redaction import Secrets
from hookgate.registry import resolve
from hookgate.validator import Log


@click.command("run")
@click.argument(
    "event", metavar="EVENT", type=click.Choice([str(each) for each in LifecycleEvent])
)
@click.option(
    "--plan",
    "plan_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The plan to take the steps from.",
)
@click.option(
    "--url", required=True, help="What stands for the listeners: http(s)://HOST:PORT."
)
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="A value for ${NAME} in the plan, such as green.image.tag=1.2.",
)
@click.option(
    "--timeout",
    metavar="DURATION",
    default="15m",
    show_default=True,
    help="The time for all steps, such as 90s.",
)
@click.option(
    "--json", "json_file", type=FILE, help="Write the verdict record; - prints it."
)
@click.option("--junit", "junit_file", type=FILE, help="Write JUnit XML.")
def command(  # noqa: PLR0913, PLR0917 - one parameter an option
    event: str,
    plan_file: Path,
    url: str,
    given: tuple[str, ...],
    timeout: str,
    json_file: str | None,
    junit_file: str | None,
) -> NoReturn:
    """Run the steps of EVENT against a URL, as if its listener were the test listener.

    Steps that ask AWS are errored: there is no deployment to ask about.
    """
    console = console_for((json_file, junit_file))
    plan = read_plan(
        plan_file.read_bytes(),
        str(plan_file),
        resolve,
        beside(plan_file),
        deployed=False,
    )
    lifecycle_event, seconds = LifecycleEvent(event), read_seconds(timeout)
    check_fits(plan, lifecycle_event, seconds)
    endpoint = parse_url(url)
    context = DeploymentContext(
        event=lifecycle_event, test=endpoint, production=endpoint
    )
    record = _judged(plan, context, read_values(given), seconds, console)
    write_json(record, json_file)
    if junit_file is not None:
        from cli.junit import of_verdicts  # noqa: PLC0415 - few runs ask for it

        write_text(of_verdicts([(event, record)]), junit_file)
    raise click.exceptions.Exit(of_verdict(record))


def _judged(
    plan: Plan,
    context: DeploymentContext,
    given: Mapping[str, str],
    seconds: float,
    console: Console,
) -> dict[str, Any]:
    steps = plan.steps(context.event)
    waiting = {step.name: _row(step, "waiting") for step in steps}

    def table() -> Table:
        """The steps as they stand: made when it is looked at, not for every change."""
        return step_table(list(waiting.values()))

    with Live(console=console, transient=True, get_renderable=table):

        def show(name: str, row: Mapping[str, Any]) -> None:
            waiting[name] = dict(row)

        def announce(outcome: Outcome) -> None:
            show(outcome.name, outcome_record(outcome))

        try:
            bench = make_bench(
                plan,
                context,
                secrets=Secrets(given_secrets(given)),
                aws=no_aws,
                log=_log,
                announce=announce,
                begin=lambda step: show(step.name, _row(step, "running")),
                given=given,
            )
        except CannotMeasure as error:
            raise InputError(
                f"{_target(plan)}: target: {error}; give it with --set NAME=VALUE"
            ) from None
        deadline = Deadline.after(seconds)
        verdict = judge(bench, steps, deadline, concurrency=plan.concurrency)
    record = verdict_record(verdict, None)
    console.print(Group(step_table(record["outcomes"]), *verdict_lines(record)))
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
    return record


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
