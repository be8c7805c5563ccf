"""``hookgate run``: the steps of one lifecycle event against a URL, without AWS."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from hookgate.codes import Code
from hookgate.context import DeploymentContext, Endpoint
from hookgate.deadline import Deadline
from hookgate.engine import RunContext, run_steps
from hookgate.errors import CannotMeasure, InputError, Place, did_you_mean
from hookgate.http.address import AddressPolicy
from hookgate.model import LifecycleEvent, Outcome, Reason, Status
from hookgate.plan import Plan, Step, beside, check_fits, read_plan
from hookgate.plan.placeholders import faults
from hookgate.redaction import Secrets
from hookgate.registry import resolve
from hookgate.reporting.record import outcome_record, verdict_record
from hookgate.run_context import make_run_context
from hookgate.units import duration
from hookgate.validator import Log
from hookgate.yaml_reader import parse
from hookgate_cli.output import FILE, console_for, of_verdict, write_json, write_text
from hookgate_cli.words import step_table, verdict_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the command line gives for placeholders: values, and secrets by name."""

    values: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def secret(self, name: str) -> str:
        """The value of a secret.

        Raises:
            CannotMeasure: it was not given.
        """
        if name not in self.secrets:
            raise CannotMeasure(
                f"give ${{secret.{name}}} with --secret-env {name}=VARIABLE",
                code=Code.SECRET,
            )
        return self.secrets[name]


def parse_url(url: str, option: str = "--url") -> Endpoint:
    """The endpoint of an option's URL.

    Raises:
        click.BadParameter: it is not an http or https URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise click.BadParameter(
            f"not a valid URL: {error}", param_hint=option
        ) from None
    if "@" in parts.netloc:
        raise click.BadParameter(
            "the URL must not contain a user or password; use the step's auth option, "
            "with a secret from --secret-env NAME=VARIABLE",
            param_hint=option,
        )
    if parts.query or parts.fragment:
        raise click.BadParameter(
            f"{url!r}: the URL must not contain a query or fragment; use a step's path",
            param_hint=option,
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise click.BadParameter(
            f"{url!r} is not a valid URL; for example http://localhost:8080",
            param_hint=option,
        )
    return Endpoint(
        scheme=parts.scheme,
        address=parts.hostname,
        port=port or {"http": 80, "https": 443}[parts.scheme],
        path_prefix=parts.path.rstrip("/"),
    )


def read_values(given: tuple[str, ...]) -> dict[str, str]:
    """The values of ``--set NAME=VALUE``.

    Raises:
        click.BadParameter: one has no value, or a name that no plan can use.
    """
    values = {}
    for each in given:
        name, sign, value = each.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{each!r} is not NAME=VALUE", param_hint="--set")
        if name.startswith("secret."):
            raise click.BadParameter(
                "a secret in an argument list is visible to every process; set an "
                "environment variable to its value, and use "
                f"--secret-env {name.removeprefix('secret.')}=VARIABLE",
                param_hint="--set",
            )
        for _, fault in faults(f"${{{name}}}"):
            raise click.BadParameter(fault, param_hint="--set")
        values[name] = value
    return values


def read_secrets(given: tuple[str, ...], environ: Mapping[str, str]) -> dict[str, str]:
    """The values of ``--secret-env NAME=VARIABLE``, by the secrets' names.

    Raises:
        click.BadParameter: a variable is not set or empty, or a name is not valid.
    """
    values = {}
    for each in given:
        name, _, variable = each.partition("=")
        if not name or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
            # Not repeated: what is no variable's name may be the secret itself.
            raise click.BadParameter(
                "write NAME=VARIABLE with the name of an environment variable",
                param_hint="--secret-env",
            )
        for _, fault in faults(f"${{secret.{name}}}"):
            raise click.BadParameter(fault, param_hint="--secret-env")
        if not environ.get(variable):
            raise click.BadParameter(
                f"the environment variable {variable} is not set or is empty; set it "
                f"to the value of the secret {name}",
                param_hint="--secret-env",
            )
        values[name] = environ[variable]
    return values


def read_seconds(text: str) -> float:
    """A duration such as ``5m``, in seconds.

    Raises:
        click.BadParameter: it is none.
    """
    try:
        return duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--timeout") from None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The steps of an event, and which of them ``--only`` and ``--skip`` leave out.

    Attributes:
        plan: the plan of the steps.
        steps: all steps, in the plan's order.
        skipped: the outcomes of those that do not run, by name.
        waivers: what the verdict lists of them.
    """

    plan: Plan
    steps: tuple[Step, ...]
    skipped: Mapping[str, Outcome]
    waivers: tuple[str, ...]

    @property
    def run(self) -> tuple[Step, ...]:
        """The steps that run; none needs one that does not."""
        return tuple(each for each in self.steps if each.name not in self.skipped)


def select(
    plan: Plan, event: LifecycleEvent, only: Sequence[str], skip: Sequence[str]
) -> Selection:
    """Leave out steps.

    A step that is left out on purpose does not block. One that needs it is skipped, and
    still blocks: it could not show anything.

    Args:
        plan: the plan.
        event: the lifecycle event whose steps run.
        only: names of the steps to run, with those that they need; empty for all.
        skip: names of the steps to leave out.

    Raises:
        click.BadParameter: no step has such a name.
        PlanError: the plan has no steps for the event.
    """
    steps = plan.steps(event)
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
    reasons |= dict.fromkeys(skip, "skipped by --skip")
    skipped: dict[str, Outcome] = {}
    for step in steps:
        if step.name in reasons:
            reason = Reason(Code.STEP_DESELECTED, reasons[step.name])
            skipped[step.name] = _skipped(step, reason, blocking=False)
    waivers = [f"{name}: {each.reason}" for name, each in skipped.items()]
    while unmet := [
        step
        for step in steps
        if step.name not in skipped and any(each in skipped for each in step.needs)
    ]:
        for step in unmet:
            names = ", ".join(each for each in step.needs if each in skipped)
            reason = Reason(Code.STEP_SKIPPED, f"needs {names}, which did not run")
            skipped[step.name] = _skipped(step, reason, blocking=step.blocking)
            if not step.blocking:
                waivers.append(f"{step.name}: skipped, but it does not block")
    return Selection(plan=plan, steps=steps, skipped=skipped, waivers=tuple(waivers))


def _skipped(step: Step, reason: Reason, *, blocking: bool) -> Outcome:
    return Outcome(
        name=step.name,
        use=step.use,
        status=Status.SKIPPED,
        blocking=blocking,
        reason=reason.text,
        code=reason.code,
    )


def judged(
    selection: Selection,
    context: DeploymentContext,
    given: Given,
    seconds: float,
    console: Console,
) -> dict[str, Any]:
    """Run the selected steps, and print their outcomes and the verdict.

    Args:
        selection: the steps that run, and those that do not.
        context: the event and its listeners.
        given: values of placeholders and secrets.
        seconds: the timeout of all steps together.
        console: where they are shown.

    Returns:
        The verdict record.

    Raises:
        InputError: the plan's target names a value that was not given.
    """
    plan = selection.plan
    rows = {step.name: _row(step, "waiting") for step in selection.steps}
    rows |= {name: outcome_record(each) for name, each in selection.skipped.items()}

    def table() -> Table:
        """The steps now: built when it is drawn, not for every change."""
        return step_table(list(rows.values()))

    with Live(console=console, transient=True, get_renderable=table):

        def show(name: str, row: Mapping[str, Any]) -> None:
            rows[name] = dict(row)

        run_context = _run_context(
            plan,
            context,
            given,
            on_outcome=lambda outcome: show(outcome.name, outcome_record(outcome)),
            on_start=lambda step: show(step.name, _row(step, "running")),
        )
        deadline = Deadline.after(seconds)
        verdict = run_steps(
            run_context, selection.run, deadline, concurrency=plan.concurrency
        )
    outcomes = {**selection.skipped, **{e.name: e for e in verdict.outcomes}}
    verdict = replace(
        verdict,
        outcomes=tuple(outcomes[step.name] for step in selection.steps),
        waivers=verdict.waivers + selection.waivers,
    )
    record = verdict_record(verdict, None)
    console.print(Group(step_table(record["outcomes"]), *verdict_lines(record)))
    _hint(selection.run, record, console)
    return record


def _run_context(
    plan: Plan,
    context: DeploymentContext,
    given: Given,
    *,
    on_outcome: Callable[[Outcome], None],
    on_start: Callable[[Step], None],
) -> RunContext:
    try:
        return make_run_context(
            plan,
            context,
            secrets=Secrets(given.secret),
            aws=no_aws,
            policy=AddressPolicy.of_command(),
            log=_log,
            on_outcome=on_outcome,
            on_start=on_start,
            given=given.values,
        )
    except CannotMeasure as error:
        raise InputError(
            f"{_target(plan)}: target: {error}; give it with --set NAME=VALUE",
            code=Code.PLACEHOLDER_VALUE,
        ) from None


def _hint(steps: Sequence[Step], record: Mapping[str, Any], console: Console) -> None:
    """Print what to do about errored steps that need AWS."""
    asks_aws = {step.name for step in steps if step.validator.needs_aws}
    without = [
        each["name"]
        for each in record["outcomes"]
        if each["status"] == "errored" and each["name"] in asks_aws
    ]
    if without:
        console.print(
            f"  hint: these steps need AWS: {', '.join(without)}. Skip them with "
            "--skip NAME, or run them in hookgate rehearse",
            style="yellow",
        )


def _target(plan: Plan) -> Place:
    file = plan.origin.source
    document, _ = parse(Path(file).read_bytes(), file)
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
    """The log of a step, through the standard library's logging."""
    logger = logging.getLogger(f"hookgate.{step}")
    return Log(lambda level, message: getattr(logger, level)(message))


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

    Steps that need AWS are errored, because there is no deployment; leave them out with
    --skip. If a step needs a skipped step, it is skipped too, and the verdict is
    Failed. Exit codes: 0 Succeeded, 1 a step failed, 2 invalid input, 3 could not
    decide.
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
        from hookgate_cli.junit import of_verdicts  # noqa: PLC0415 - few runs ask for it

        write_text(of_verdicts([(event, record)]), junit_file)
    raise click.exceptions.Exit(of_verdict(record))
