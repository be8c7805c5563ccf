"""``hookgate explain``: what a plan runs when, against what, and for how long."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Group
from rich.table import Table

from hookgate.aws.codedeploy import RESERVE
from hookgate.model import LifecycleEvent
from hookgate.plan import Plan, Step, beside, read_plan, worst_case
from hookgate.registry import resolve
from hookgate.units import seconds_text
from hookgate_cli.output import INPUT, console_for
from hookgate_cli.printable import Text


def plan_of(file: Path, *, deployed: bool = False) -> Plan:
    """Read a plan; ``deployed`` refuses validators that only ``hookgate run`` has.

    Raises:
        PlanError: the plan is not valid.
    """
    content = file.read_bytes()
    return read_plan(content, str(file), resolve, beside(file), deployed=deployed)


@click.command("explain")
@click.argument("plan_file", metavar="PLAN", type=INPUT)
def command(plan_file: Path) -> None:
    """Show the resolved plan: the steps of each event and its worst-case time."""
    plan = plan_of(plan_file)
    console = console_for(())
    console.print(_target(plan))
    for event, steps in plan.events.items():
        console.print()
        console.print(_event(event, steps, plan.concurrency))


def _target(plan: Plan) -> str:
    host = plan.target.host or "the load balancer's own name"
    identity = plan.target.identity
    proof = (
        f"a response counts only with {identity.header}: {identity.equals}"
        if identity
        else "no target.identity: responses may be from another version"
    )
    origin = plan.origin
    return (
        f"{origin.source}\nSHA-256   {origin.sha256}\nhost      {host}\n"
        f"identity  {proof}"
    )


def _event(event: LifecycleEvent, steps: tuple[Step, ...], concurrency: int) -> Group:
    budget = worst_case(steps, concurrency)
    title = (
        f"{event}: at most {seconds_text(budget.seconds)}, with up to {concurrency} "
        f"steps at a time and {seconds_text(RESERVE)} kept for the report"
    )
    table = Table(box=None)
    for column in ("step", "use", "at most", "needs", "connects to", ""):
        table.add_column(column, header_style="dim")
    for step in steps:
        table.add_row(
            step.name,
            step.use,
            seconds_text(step.timeout),
            ", ".join(step.needs),
            _asks(step),
            _waivers(step),
        )
    return Group(Text(title, style="bold"), table)


def _asks(step: Step) -> str:
    listener = "listener" if step.validator.asks_listener else ""
    aws = "AWS" if step.validator.needs_aws else ""
    return " and ".join(each for each in (listener, aws) if each)


def _waivers(step: Step) -> str:
    notes = [] if step.blocking else ["does not block"]
    waivers = {
        "passes without data": step.on_no_data,
        "passes when inconclusive": step.on_inconclusive,
        "passes on errors": step.on_error,
    }
    notes += [words for words, word in waivers.items() if word == "pass"]
    return ", ".join(notes)
