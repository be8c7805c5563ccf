"""``hookgate run``: the steps of one lifecycle event against a URL, without AWS."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import click

from cli.exit_code import of_verdict
from cli.given import (
    Given,
    parse_url,
    read_seconds,
    read_secrets,
    read_values,
)
from cli.judging import judged, select
from cli.output import FILE, console_for, write_json, write_text
from hookgate.context import DeploymentContext
from hookgate.model import LifecycleEvent
from hookgate.plan import beside, check_fits, read_plan
from hookgate.registry import resolve


@click.command("run")
@click.argument(
    "event", metavar="EVENT", type=click.Choice([str(each) for each in LifecycleEvent])
)
@click.option(
    "--plan",
    "plan_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The plan.",
)
@click.option(
    "--url",
    required=True,
    help="The URL to use as test and production listener: http(s)://HOST:PORT.",
)
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="The value of ${NAME} in the plan, such as green.image.tag=1.2. Repeatable.",
)
@click.option(
    "--secret-env",
    "secrets",
    multiple=True,
    metavar="NAME=VARIABLE",
    help="Read ${secret.NAME} from an environment variable. Repeatable.",
)
@click.option(
    "--timeout",
    metavar="DURATION",
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
    url: str,
    given: tuple[str, ...],
    secrets: tuple[str, ...],
    timeout: str,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    json_file: str | None,
    junit_file: str | None,
) -> NoReturn:
    """Run the steps of EVENT against a URL instead of the test listener.

    Steps that need AWS are errored, because there is no deployment; use --skip. A step
    that needs a skipped step is skipped too, and the verdict is Failed. Exit codes: 0
    Succeeded, 1 a step failed, 2 invalid input, 3 could not decide.
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
    selection = select(plan, lifecycle_event, only, skip)
    if selection.run:
        runs = replace(plan, events={lifecycle_event: selection.run})
        check_fits(runs, lifecycle_event, seconds)
    endpoint = parse_url(url)
    context = DeploymentContext(
        event=lifecycle_event, test=endpoint, production=endpoint
    )
    values = Given(values=read_values(given), secrets=read_secrets(secrets, os.environ))
    record = judged(selection, context, values, seconds, console)
    write_json(record, json_file)
    if junit_file is not None:
        from cli.junit import of_verdicts  # noqa: PLC0415 - few runs ask for it

        write_text(of_verdicts([(event, record)]), junit_file)
    raise click.exceptions.Exit(of_verdict(record))
