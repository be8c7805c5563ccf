"""``hookgate lint``: plans, AppSpecs, templates and scenarios, offline."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import click

from cli.appspec_lint import as_yaml, check_appspec
from cli.exit_code import ExitCode
from hookgate.aws.status import RESERVE
from hookgate.errors import PlanError, Problem
from hookgate.plan import beside, check_fits, read_plan
from hookgate.plan.document import parse
from hookgate.registry import resolve
from rehearsal.cloudformation.document import is_template, read_template
from rehearsal.cloudformation.faults import check_hook, hook_warnings
from rehearsal.scenario.scenario import read_scenario

#: The longest that a Lambda function may run, in seconds.
LAMBDA_SECONDS = 900.0


@click.command("lint")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--for-run",
    is_flag=True,
    help="The plans are for hookgate run, and not deployed.",
)
def command(files: tuple[Path, ...], *, for_run: bool) -> NoReturn:
    """Check plans, AppSpecs and scenarios, and tell every problem with its place.

    Of a CloudFormation template it checks the hook AWS::CodeDeploy::BlueGreen.
    """
    wrong = False
    for file in files:
        try:
            warnings = warnings_of(file, deployed=not for_run)
        except PlanError as error:
            wrong = True
            click.echo(str(error))
        else:
            for each in warnings:
                message = f"warning: {each.message} [{each.code}]"
                click.echo(f"{each.place}: {message}")
            click.echo(f"{file}: fine")
    raise click.exceptions.Exit(ExitCode.WRONG_INPUT if wrong else ExitCode.PASSED)


def warnings_of(file: Path, *, deployed: bool = True) -> tuple[Problem, ...]:
    """What a right file could do better.

    Args:
        file: a plan, an AppSpec or a scenario.
        deployed: whether a plan is for Lambda.

    Raises:
        PlanError: the file is wrong; every problem with its place.
    """
    content = file.read_bytes()
    if is_template(content):
        template = read_template(content, str(file))
        check_hook(template)
        return tuple(hook_warnings(template))
    keys = _top_keys(content, str(file))
    if keys & {"resources", "hooks"}:
        check_appspec(content, str(file))
        return ()
    if keys & {"service", "deployments", "starts_with"}:
        read_scenario(file, offline=True)
        return ()
    plan = read_plan(content, str(file), resolve, beside(file), deployed=deployed)
    for event in plan.events:
        check_fits(plan, event, LAMBDA_SECONDS - RESERVE)
    return plan.warnings()


def _top_keys(content: bytes, file: str) -> set[str]:
    """The top keys in lower case, which tell what a file is meant to be.

    Raises:
        PlanError: it cannot be read, whatever it is.
    """
    document, _ = parse(as_yaml(content), file)
    return {str(key).lower() for key in document.data}
