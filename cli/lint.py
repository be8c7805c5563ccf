"""``hookgate lint``: plans, AppSpecs, templates and scenarios, offline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import click

from cli.appspec_lint import as_yaml, check_appspec
from cli.exit_code import ExitCode
from hookgate.aws.status import RESERVE
from hookgate.codes import Code
from hookgate.errors import Place, PlanError, Problem
from hookgate.model import LifecycleEvent
from hookgate.plan import beside, check_fits, read_plan
from hookgate.plan.document import parse
from hookgate.registry import resolve
from rehearsal.cloudformation.document import is_template, read_template
from rehearsal.cloudformation.faults import check_hook, hook_warnings
from rehearsal.cloudformation.hook import hook_properties, read_hook
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

    Of a CloudFormation template it checks the hook AWS::CodeDeploy::BlueGreen. Plans
    and AppSpecs in one call are also checked against each other: every hook needs
    steps, and all steps need a hook.
    """
    checked = [_check(file, deployed=not for_run) for file in files]
    checked = [_crossed(each, checked) for each in checked]
    for each in checked:
        for problem in each.problems:
            click.echo(str(problem))
        for warning in () if each.problems else each.warnings:
            click.echo(f"{warning.place}: warning: {warning.message} [{warning.code}]")
        if not each.problems:
            click.echo(f"{each.file}: fine")
    wrong = any(each.problems for each in checked)
    raise click.exceptions.Exit(ExitCode.WRONG_INPUT if wrong else ExitCode.PASSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """What is wrong with a file, and what other files are compared with.

    ``steps`` has the place of the first step of each event of a plan, ``hooks`` the
    place of each hook of an AppSpec or a template; each is None in other files.
    """

    file: Path
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    steps: Mapping[LifecycleEvent, Place] | None = None
    hooks: Mapping[LifecycleEvent, Place] | None = None


def _check(file: Path, *, deployed: bool) -> _Checked:
    """Check a file by what it is; ``deployed`` is whether a plan is for Lambda."""
    try:
        return _read(file, deployed=deployed)
    except PlanError as error:
        return _Checked(file=file, problems=error.problems)


def _read(file: Path, *, deployed: bool) -> _Checked:
    """Read a file that has no problem.

    Raises:
        PlanError: the file is wrong; every problem with its place.
    """
    content = file.read_bytes()
    if is_template(content):
        template = read_template(content, str(file))
        check_hook(template)
        path, _ = hook_properties(template)
        hooks = (*path, "LifecycleEventHooks")
        return _Checked(
            file=file,
            warnings=tuple(hook_warnings(template)),
            hooks={
                event: template.place((*hooks, str(event)))
                for event in read_hook(template).functions
            },
        )
    keys = _top_keys(content, str(file))
    if keys & {"resources", "hooks"}:
        return _Checked(file=file, hooks=check_appspec(content, str(file)))
    if keys & {"service", "deployments", "starts_with"}:
        read_scenario(file, offline=True)
        return _Checked(file=file)
    plan = read_plan(content, str(file), resolve, beside(file), deployed=deployed)
    for event in plan.events:
        check_fits(plan, event, LAMBDA_SECONDS - RESERVE)
    steps = {event: steps[0].place for event, steps in plan.events.items()}
    return _Checked(file=file, warnings=plan.warnings(), steps=steps)


def _crossed(one: _Checked, others: Iterable[_Checked]) -> _Checked:
    """``one`` with what is wrong beside the other files of the same call."""
    found: list[Problem] = []
    for other in others:
        if one.hooks is not None and other.steps is not None:
            found += (
                Problem(
                    place,
                    Code.APPSPEC_NO_STEPS,
                    f"the plan {other.file} has no steps for {event}, so this hook "
                    "reports Failed; add steps, or remove the hook",
                )
                for event, place in one.hooks.items()
                if event not in other.steps
            )
        if one.steps is not None and other.hooks is not None:
            found += (
                Problem(
                    place,
                    Code.APPSPEC_NO_HOOK,
                    f"{other.file} has no hook for {event}, so these steps never run; "
                    "add the hook, or remove the steps",
                )
                for event, place in one.steps.items()
                if event not in other.hooks
            )
    return replace(one, problems=(*one.problems, *found))


def _top_keys(content: bytes, file: str) -> set[str]:
    """The top keys in lower case, which tell what a file is meant to be.

    Raises:
        PlanError: it cannot be read, whatever it is.
    """
    document, _ = parse(as_yaml(content), file)
    return {str(key).lower() for key in document.data}
