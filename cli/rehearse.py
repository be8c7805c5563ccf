"""``hookgate rehearse``: play scenarios and say whether all ended as they should."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.exit_code import ExitCode
from cli.output import FILE, console_for, write_json, write_text
from cli.rehearse_view import RehearsalView
from cli.words import marked
from rehearsal.first_version import RehearsalError
from rehearsal.record import rehearsal_record
from rehearsal.rehearse import Rehearsal
from rehearsal.scenario.scenario import Scenario, read_scenario

#: As the scenario's own ``speed``.
SPEED = click.FloatRange(1, 1000)
#: The bundled example: a good version goes live, a bad one is rolled back.
EXAMPLE = Path(__file__).parent.parent / "examples" / "storefront" / "scenario.yaml"


@click.command("rehearse")
@click.argument(
    "scenarios",
    nargs=-1,
    metavar="[SCENARIO]...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--speed", type=SPEED, help="Play so many times faster than AWS.")
@click.option("--only", help="Play only deployments whose name holds this text.")
@click.option("--json", "json_file", type=FILE, help="Write the record; - prints it.")
@click.option("--junit", "junit_file", type=FILE, help="Write JUnit XML.")
@click.option("--html", "html_file", type=FILE, help="Write a page with the story.")
def command(  # noqa: PLR0913, PLR0917 - click hands over each option by name
    scenarios: tuple[Path, ...],
    speed: float | None,
    only: str | None,
    json_file: str | None,
    junit_file: str | None,
    html_file: str | None,
) -> NoReturn:
    """Play blue/green deployments on this machine, with the shipped hooks.

    Without a SCENARIO the bundled storefront is played. The exit code is 0 when every
    deployment ended as its scenario expects.
    """
    console = console_for((json_file, junit_file, html_file))
    read = [read_scenario(each).at(speed) for each in scenarios or (EXAMPLE,)]
    if only is not None and not any(
        only in each.name for scenario in read for each in scenario.content.deployments
    ):
        raise click.UsageError(f"no deployment's name holds {only!r}")
    try:
        played = [each for scenario in read for each in _play(scenario, only, console)]
    except RehearsalError as error:
        click.echo(str(error), err=True)
        raise click.exceptions.Exit(ExitCode.COULD_NOT_TELL) from None
    record = rehearsal_record(played)
    console.print(_summary(played))
    _write(record, json_file, junit_file, html_file)
    as_expected = all(each["as_expected"] for each in played)
    raise click.exceptions.Exit(ExitCode.PASSED if as_expected else ExitCode.FAILED)


def _play(
    scenario: Scenario, only: str | None, console: Console
) -> list[dict[str, Any]]:
    view = RehearsalView(console)
    rehearsal = Rehearsal(scenario=scenario, audience=view)
    with view.live:
        return rehearsal.play(lambda each: only is None or only in each.name)


def _summary(played: list[dict[str, Any]]) -> Table:
    table = Table(
        box=None, padding=(0, 2, 0, 0), title="\nsummary", title_justify="left"
    )
    for column in (
        "",
        "deployment",
        "ended",
        "rollback",
        "customers' requests",
        "failed",
    ):
        table.add_column(column, header_style="dim")
    for each in played:
        rollback = each["rollback"]["status"] if each["rollback"] else ""
        traffic = each["production_traffic"]
        table.add_row(
            marked("passed" if each["as_expected"] else "failed"),
            each["name"],
            each["status"],
            rollback,
            str(traffic["requests"]),
            str(traffic["failed"]),
        )
    good = sum(each["as_expected"] for each in played)
    table.caption = Text(f"{good} of {len(played)} ended as expected")
    table.caption_justify = "left"
    return table


def _write(
    record: Mapping[str, Any],
    json_file: str | None,
    junit_file: str | None,
    html_file: str | None,
) -> None:
    write_json(record, json_file)
    if junit_file is not None:
        from cli.junit import of_rehearsal  # noqa: PLC0415 - few runs ask for it

        write_text(of_rehearsal(record), junit_file)
    if html_file is not None:
        from cli.page import page_of  # noqa: PLC0415 - as above

        write_text(page_of(record), html_file)
