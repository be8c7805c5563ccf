"""``hookgate lint``: plans and AppSpecs, offline."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import click

from cli.appspec_lint import check_appspec, is_appspec
from cli.exit_code import ExitCode
from hookgate.aws.status import RESERVE
from hookgate.errors import Place, PlanError
from hookgate.plan import check_fits, read_plan
from hookgate.registry import resolve

#: The longest that a Lambda function may run, in seconds.
LAMBDA_SECONDS = 900.0


@click.command("lint")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
def command(files: tuple[Path, ...]) -> NoReturn:
    """Check plans and AppSpecs; every problem is told with file, line and column."""
    wrong = False
    for file in files:
        try:
            warnings = warnings_of(file)
        except PlanError as error:
            wrong = True
            click.echo(str(error))
        else:
            for place, what in warnings:
                click.echo(f"{place}: warning: {what}")
            click.echo(f"{file}: fine")
    raise click.exceptions.Exit(ExitCode.WRONG_INPUT if wrong else ExitCode.PASSED)


def warnings_of(file: Path) -> tuple[tuple[Place, str], ...]:
    """What a right file could do better.

    Raises:
        PlanError: the file is wrong; every problem with its place.
    """
    content = file.read_bytes()
    if is_appspec(content):
        check_appspec(content, str(file))
        return ()
    plan = read_plan(content, str(file), resolve)
    for event in plan.events:
        check_fits(plan, event, LAMBDA_SECONDS - RESERVE)
    return plan.warnings()
