"""``hookgate run``: one event's steps against a URL, without AWS."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import click
from rich.console import Console, Group
from rich.live import Live

from cli.exit_code import of_verdict
from cli.output import FILE, console_for, write_json, write_text
from cli.words import step_table, verdict_lines
from hookgate.bench import make_bench
from hookgate.context import DeploymentContext, Endpoint
from hookgate.deadline import Deadline
from hookgate.engine import judge
from hookgate.errors import CannotMeasure, InputError
from hookgate.model import LifecycleEvent, Outcome
from hookgate.plan import Plan, Step, check_fits, read_plan
from hookgate.record import outcome_record, verdict_record
from hookgate.redaction import Secrets
from hookgate.registry import resolve
from hookgate.units import duration
from hookgate.validator import Log


@click.command("run")
@click.argument("event", type=click.Choice([str(each) for each in LifecycleEvent]))
@click.option(
    "--plan",
    "plan_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The plan to take the steps from.",
)
@click.option("--url", required=True, help="What stands for the listeners.")
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="A value for ${NAME} in the plan, such as green.image.tag=1.2.",
)
@click.option("--timeout", default="15m", help="The time for all steps.")
@click.option("--json", "json_file", type=FILE, help="Write the verdict record.")
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
    plan = read_plan(plan_file.read_bytes(), str(plan_file), resolve)
    lifecycle_event, seconds = LifecycleEvent(event), _seconds(timeout)
    check_fits(plan, lifecycle_event, seconds)
    endpoint = parse_url(url)
    context = DeploymentContext(
        event=lifecycle_event, test=endpoint, production=endpoint
    )
    record = _judged(plan, context, _values(given), seconds, console)
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
    with Live(console=console, transient=True) as live:

        def show(name: str, row: Mapping[str, Any]) -> None:
            waiting[name] = dict(row)
            live.update(step_table(list(waiting.values())))

        def announce(outcome: Outcome) -> None:
            show(outcome.name, outcome_record(outcome))

        try:
            bench = make_bench(
                plan,
                context,
                secrets=Secrets(_no_secrets),
                aws=_no_aws,
                log=_log,
                announce=announce,
                begin=lambda step: show(step.name, _row(step, "running")),
                given=given,
            )
        except CannotMeasure as error:
            raise InputError(f"{plan.file}: target: {error}") from None
        deadline = Deadline.after(seconds)
        verdict = judge(bench, steps, deadline, concurrency=plan.concurrency)
    record = verdict_record(verdict, None)
    console.print(Group(step_table(record["outcomes"]), *verdict_lines(record)))
    return record


def parse_url(url: str) -> Endpoint:
    """The endpoint of a URL.

    Raises:
        click.BadParameter: it is no http or https URL.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise click.BadParameter(f"{url}: {error}", param_hint="--url") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise click.BadParameter(
            f"{url!r} is no URL such as http://localhost:8080", param_hint="--url"
        )
    return Endpoint(
        scheme=parts.scheme,
        address=parts.hostname,
        port=port or {"http": 80, "https": 443}[parts.scheme],
        path_prefix=parts.path.rstrip("/"),
    )


def _row(step: Step, status: str) -> dict[str, Any]:
    return {
        "name": step.name,
        "status": status,
        "blocking": step.blocking,
        "duration_ms": 0,
        "reason": "",
    }


def _values(given: tuple[str, ...]) -> dict[str, str]:
    values = {}
    for each in given:
        name, sign, value = each.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{each!r} is not NAME=VALUE", param_hint="--set")
        values[name] = value
    return values


def _seconds(text: str) -> float:
    try:
        return duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--timeout") from None


def _no_aws(service: str, operation: str, /, **_parameters: Any) -> Mapping[str, Any]:
    raise CannotMeasure(
        f"{service} {operation} needs AWS, and hookgate run has only a URL; rehearse "
        "the plan to try this step"
    )


def _no_secrets(name: str) -> str:
    raise CannotMeasure(f"give ${{secret.{name}}} with --set secret.{name}=…")


def _log(step: str) -> Log:
    return _StepLog(logging.getLogger(f"hookgate.{step}"))


class _StepLog:
    """A step's log in the manner of the standard library: silent unless configured."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def info(self, message: str) -> None:
        """Write a line at level INFO."""
        self._logger.info(message)
