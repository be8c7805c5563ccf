"""``hookgate run``: the steps of one lifecycle event against a URL, without AWS."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import click
from rich.console import Group
from rich.live import Live

from hookgate.codes import Code
from hookgate.context import DeploymentContext, Endpoint
from hookgate.deadline import Deadline
from hookgate.engine import run_steps
from hookgate.errors import CannotMeasure, InputError, did_you_mean
from hookgate.http.address import AddressPolicy
from hookgate.model import LifecycleEvent, Outcome, Status
from hookgate.plan import Step, check_fits
from hookgate.plan.placeholders import faults
from hookgate.redaction import Secrets
from hookgate.reporting import outcome_record, verdict_record
from hookgate.run_context import make_run_context
from hookgate.units import duration
from hookgate.validator import Log
from hookgate.yaml_reader import parse
from hookgate_cli.explain import plan_of
from hookgate_cli.output import (
    FILE,
    INPUT,
    Console,
    console_for,
    of_verdict,
    write_json,
    write_text,
)
from hookgate_cli.words import indented, step_table, verdict_lines


def parse_url(url: str) -> Endpoint:
    """The endpoint of an option's URL.

    Raises:
        click.BadParameter: it is not an http or https URL of a server.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise click.BadParameter(f"not a valid URL: {error}") from None
    if "@" in parts.netloc:
        raise click.BadParameter(
            "the URL must not contain a user or password; use the step's auth option, "
            "with a secret from --secret-env NAME=VARIABLE"
        )
    if parts.query or parts.fragment:
        raise click.BadParameter(
            f"{url!r}: the URL must not contain a query or fragment; use a step's path"
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise click.BadParameter(
            f"{url!r} is not a valid URL; for example http://localhost:8080"
        )
    return Endpoint(
        scheme=parts.scheme,
        address=parts.hostname,
        port=port or {"http": 80, "https": 443}[parts.scheme],
        path_prefix=parts.path.rstrip("/"),
    )


def read_value(given: str) -> tuple[str, str]:
    """The name and the value of ``--set NAME=VALUE``.

    Raises:
        click.BadParameter: it has no value, or a name that no plan can use.
    """
    name, sign, value = given.partition("=")
    if not sign or not name:
        raise click.BadParameter(f"{given!r} is not NAME=VALUE")
    if name.startswith("secret."):
        raise click.BadParameter(
            "a secret in an argument list is visible to every process; set an "
            "environment variable to its value, and use "
            f"--secret-env {name.removeprefix('secret.')}=VARIABLE"
        )
    for _, fault in faults(f"${{{name}}}"):
        raise click.BadParameter(fault)
    return name, value


def read_secret(given: str) -> tuple[str, str]:
    """The name and the value of the secret of ``--secret-env NAME=VARIABLE``.

    Raises:
        click.BadParameter: the variable is not set or empty, or a name is not valid.
    """
    name, _, variable = given.partition("=")
    if not name or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
        # The message does not repeat it, because it may be the secret itself.
        raise click.BadParameter(
            "write NAME=VARIABLE with the name of an environment variable"
        )
    for _, fault in faults(f"${{secret.{name}}}"):
        raise click.BadParameter(fault)
    value = os.environ.get(variable)
    if not value:
        raise click.BadParameter(
            f"the environment variable {variable} is not set or is empty; set it to "
            f"the value of the secret {name}"
        )
    return name, value


def secret_of(secrets: Mapping[str, str], name: str) -> str:
    """The value of a secret of ``--secret-env``.

    Raises:
        CannotMeasure: it was not given.
    """
    if name not in secrets:
        raise CannotMeasure(
            f"give ${{secret.{name}}} with --secret-env {name}=VARIABLE",
            code=Code.SECRET,
        )
    return secrets[name]


def no_aws(service: str, operation: str, /, **_parameters: Any) -> Mapping[str, Any]:
    """Refuse a call: there is no AWS.

    Raises:
        CannotMeasure: always.
    """
    raise CannotMeasure(
        f"{service} {operation} needs AWS, and hookgate run has only a URL; use "
        "hookgate rehearse for this step, or --skip",
        code=Code.RUN_NEEDS_AWS,
    )


def deselected(
    steps: Sequence[Step], only: Collection[str], skip: Collection[str]
) -> dict[str, str]:
    """The reasons why steps do not run, by name.

    Args:
        steps: the steps of the event.
        only: names of the steps to run, with those that they need; empty for all.
        skip: names of the steps to leave out.

    Raises:
        click.BadParameter: no step has such a name.
    """
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
    return reasons | dict.fromkeys(skip, "skipped by --skip")


def _running(steps: Sequence[Step], idle: set[str]) -> tuple[Step, ...]:
    """The steps that run: those that are not idle, and need none that is."""
    while unmet := {each.name for each in steps if idle & set(each.needs)} - idle:
        idle = idle | unmet
    return tuple(each for each in steps if each.name not in idle)


def _show_needs_aws(
    steps: Iterable[Step], outcomes: Iterable[Outcome], console: Console
) -> None:
    """Print what to do about errored steps that need AWS."""
    needs_aws = {step.name for step in steps if step.validator.needs_aws}
    errored = [each.name for each in outcomes if each.status is Status.ERRORED]
    if names := ", ".join(each for each in errored if each in needs_aws):
        what = f"hint: these steps need AWS: {names}; use --skip or hookgate rehearse"
        console.print(indented(what, "yellow"))


def _row(step: Step, status: str) -> dict[str, Any]:
    return {
        "name": step.name,
        "status": status,
        "blocking": step.blocking,
        "duration_ms": 0,
        "reason": "",
    }


def _log(step: str) -> Log:
    """The log of a step, through the standard library's logging."""
    logger = logging.getLogger(f"hookgate.{step}")
    return Log(lambda level, message: getattr(logger, level)(message))


@click.command("run")
@click.argument(
    "event", metavar="EVENT", type=click.Choice([str(each) for each in LifecycleEvent])
)
@click.option("--plan", "plan_file", required=True, type=INPUT, help="The plan.")
@click.option(
    "--url",
    "endpoint",
    required=True,
    metavar="URL",
    type=parse_url,
    help="The URL to use as test and production listener: http(s)://HOST:PORT.",
)
@click.option(
    "--set",
    "values",
    multiple=True,
    metavar="NAME=VALUE",
    type=read_value,
    help="The value of ${NAME} in the plan, such as green.image.tag=1.2. Repeatable.",
)
@click.option(
    "--secret-env",
    "secrets",
    multiple=True,
    metavar="NAME=VARIABLE",
    type=read_secret,
    help="Read ${secret.NAME} from an environment variable. Repeatable.",
)
@click.option(
    "--timeout",
    metavar="DURATION",
    type=duration,
    default="15m",
    show_default=True,
    help="The timeout of all steps together, such as 90s.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="Run only this step and the steps that it needs. Repeatable.",
)
@click.option(
    "--skip",
    multiple=True,
    metavar="NAME",
    help="Do not run this step. Repeatable. The verdict lists it as a waiver.",
)
@click.option(
    "--json",
    "json_file",
    type=FILE,
    help="Write the verdict record; - for standard output.",
)
@click.option("--junit", "junit_file", type=FILE, help="Write JUnit XML.")
def command(  # noqa: PLR0913, PLR0917 - click passes each option by name
    event: str,
    plan_file: Path,
    endpoint: Endpoint,
    values: tuple[tuple[str, str], ...],
    secrets: tuple[tuple[str, str], ...],
    timeout: float,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    json_file: str | None,
    junit_file: str | None,
) -> NoReturn:
    """Run the steps of EVENT against a URL instead of the test listener.

    EVENT is BeforeInstall, AfterInstall, AfterAllowTestTraffic, BeforeAllowTraffic or
    AfterAllowTraffic.

    Steps that need AWS are errored, because there is no deployment; leave them out with
    --skip. If a step needs a skipped step, it is skipped too, and the verdict is
    Failed.

    Exit codes: 0 Succeeded, 1 a step failed, 2 invalid input, 3 could not decide.
    """
    console = console_for((json_file, junit_file))
    plan = plan_of(plan_file)
    lifecycle_event = LifecycleEvent(event)
    steps = plan.steps(lifecycle_event)
    left_out = deselected(steps, only, skip)
    if running := _running(steps, set(left_out)):
        runs = replace(plan, events={lifecycle_event: running})
        check_fits(runs, lifecycle_event, timeout)
    rows = {step.name: _row(step, "waiting") for step in steps}
    try:
        run_context = make_run_context(
            plan,
            DeploymentContext(
                event=lifecycle_event, test=endpoint, production=endpoint
            ),
            secrets=Secrets(partial(secret_of, dict(secrets))),
            aws=no_aws,
            policy=AddressPolicy.of_command(),
            log=_log,
            on_outcome=lambda each: rows.update({each.name: outcome_record(each)}),
            on_start=lambda step: rows.update({step.name: _row(step, "running")}),
            given=dict(values),
        )
    except CannotMeasure as error:
        document, _ = parse(plan_file.read_bytes(), str(plan_file))
        place = document.key(("target",))
        raise InputError(
            f"{place}: target: {error}; give it with --set NAME=VALUE",
            code=Code.PLACEHOLDER_VALUE,
        ) from None
    # The table is built when it is drawn, not for every change.
    with Live(
        console=console,
        transient=True,
        redirect_stdout=False,  # it would read the colors of what others print
        redirect_stderr=False,
        get_renderable=lambda: step_table(list(rows.values())),
    ):
        deadline = Deadline.after(timeout)
        run_context = replace(run_context, deselected=left_out)
        verdict = run_steps(run_context, steps, deadline, concurrency=plan.concurrency)
    record = verdict_record(verdict, None)
    console.print(Group(step_table(record["outcomes"]), *verdict_lines(record)))
    _show_needs_aws(steps, verdict.outcomes, console)
    write_json(record, json_file)
    if junit_file is not None:
        from hookgate_cli.junit import of_run  # noqa: PLC0415 - few runs ask for it

        write_text(of_run(record), junit_file)
    raise click.exceptions.Exit(of_verdict(record))
