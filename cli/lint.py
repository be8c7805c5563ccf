"""``hookgate lint``: plans and AppSpecs, offline."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import click

from cli.appspec_lint import appspec_problems, is_appspec
from cli.exit_code import ExitCode
from hookgate.aws.status import RESERVE
from hookgate.errors import PlanError
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
        problems = problems_of(file)
        wrong = wrong or bool(problems)
        for problem in problems:
            click.echo(problem)
        if not problems:
            click.echo(f"{file}: fine")
    raise click.exceptions.Exit(ExitCode.WRONG_INPUT if wrong else ExitCode.PASSED)


def problems_of(file: Path) -> list[str]:
    """What is wrong with a file, a line each."""
    content = file.read_bytes()
    if is_appspec(content):
        return appspec_problems(content, str(file))
    try:
        plan = read_plan(content, str(file), resolve)
        for event in plan.events:
            check_fits(plan, event, LAMBDA_SECONDS - RESERVE)
    except PlanError as error:
        return str(error).splitlines()
    return []
