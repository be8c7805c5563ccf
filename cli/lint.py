"""``hookgate lint``: plans, AppSpecs, templates and scenarios, offline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import click

from hookgate.aws.appspec import STRICT, lowered
from hookgate.aws.codedeploy import RESERVE
from hookgate.codes import Code
from hookgate.errors import Place, PlanError, Problem
from hookgate.model import LifecycleEvent
from hookgate.plan import check_fits
from hookgate.yaml_reader import Document, parse
from hookgate_cli.explain import plan_of
from hookgate_cli.output import INPUT, ExitCode, echo
from hookgate_rehearsal.cloudformation import (
    check_hook,
    hook_properties,
    hook_warnings,
    is_template,
    read_hook,
    read_template,
)
from hookgate_rehearsal.codedeploy.appspec import EVENTS, faults
from hookgate_rehearsal.scenario.reader import read_scenario


def check_appspec(content: bytes, file: str) -> dict[LifecycleEvent, Place]:
    """Check an AppSpec by the rules of its reference for ECS.

    The reference is the AppSpec page of AWS's CodeDeploy user guide.

    Returns:
        The lifecycle events that have a hook, with the place of each.

    Raises:
        PlanError: it is wrong; every problem with its place.
    """
    document, problems = parse(content, file, STRICT)
    for fault in faults(document.data):
        where = document.key if fault.at_key else document.value
        place = where(_spelled(document, fault.path))
        problems.add(place, fault.code, fault.what)
    if problems:
        raise problems.error()
    return {
        EVENTS[event]: document.key(_spelled(document, ("hooks", index, event)))
        for index, item in enumerate(lowered(document.data).get("hooks", ()))
        for event in item
    }


def _spelled(document: Document, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The existing part of ``path``, in the file's own spelling."""
    found: tuple[str | int, ...] = ()
    at: Any = document.data
    for part in path:
        if isinstance(at, Mapping):
            spelled = {str(key).lower(): key for key in at}.get(str(part).lower())
            if spelled is None:
                break
            found, at = (*found, spelled), at[spelled]
        elif isinstance(at, list) and isinstance(part, int) and part < len(at):
            found, at = (*found, part), at[part]
    return found


#: The longest that a Lambda function may run, in seconds.
LAMBDA_SECONDS = 900.0


@click.command("lint")
@click.argument("files", nargs=-1, required=True, type=INPUT)
@click.option(
    "--for-run",
    is_flag=True,
    help="The plans are for `hookgate run` only; allow validators such as command.",
)
def command(files: tuple[Path, ...], *, for_run: bool) -> NoReturn:
    """Check plans, AppSpecs and scenarios; report every problem with its location.

    In a CloudFormation template, it checks the hook AWS::CodeDeploy::BlueGreen. It also
    compares plans and AppSpecs of the same call with each other: every hook needs
    steps, and all steps need a hook.
    """
    checked = [_check(file, deployed=not for_run) for file in files]
    checked = [_crossed(each, checked) for each in checked]
    for each in checked:
        for problem in each.problems:
            echo(str(problem))
        for warning in () if each.problems else each.warnings:
            echo(f"{warning.place}: warning: {warning.message} [{warning.code}]")
        if not each.problems:
            echo(f"{each.file}: valid")
    wrong = any(each.problems for each in checked)
    raise click.exceptions.Exit(ExitCode.WRONG_INPUT if wrong else ExitCode.PASSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """The problems of a file, and what is compared with other files.

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
    """Check a file by its kind.

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
                event: template.key((*hooks, str(event)))
                for event in read_hook(template).functions
            },
        )
    keys = _top_keys(content, str(file))
    if keys & {"resources", "hooks"}:
        return _Checked(file=file, hooks=check_appspec(content, str(file)))
    if keys & {"service", "deployments", "starts_with"}:
        read_scenario(file, offline=True)
        return _Checked(file=file)
    plan = plan_of(file, deployed=deployed)
    for event in plan.events:
        check_fits(plan, event, LAMBDA_SECONDS - RESERVE)
    steps = {event: steps[0].place for event, steps in plan.events.items()}
    return _Checked(file=file, warnings=plan.warnings(), steps=steps)


def _crossed(one: _Checked, others: Iterable[_Checked]) -> _Checked:
    """``one`` with its events that another file of the same call lacks."""
    found: list[Problem] = []
    for other in others:
        for own, theirs, code, message in (
            (one.hooks, other.steps, Code.APPSPEC_NO_STEPS, _NO_STEPS),
            (one.steps, other.hooks, Code.APPSPEC_NO_HOOK, _NO_HOOK),
        ):
            if own is not None and theirs is not None:
                found += (
                    Problem(place, code, message.format(file=other.file, event=event))
                    for event, place in own.items()
                    if event not in theirs
                )
    return replace(one, problems=(*one.problems, *found))


_NO_STEPS = (
    "the plan {file} has no steps for {event}, so this hook reports Failed; add steps, "
    "or remove the hook"
)
_NO_HOOK = (
    "{file} has no hook for {event}, so these steps never run; add the hook, or remove "
    "the steps"
)


def _top_keys(content: bytes, file: str) -> set[str]:
    """The top keys in lower case, which show what kind of file it is.

    Raises:
        PlanError: it cannot be read.
    """
    document, _ = parse(content, file, STRICT)
    return {str(key).lower() for key in document.data}
