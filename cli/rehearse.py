"""``hookgate rehearse``: run scenarios, and check how every deployment ended."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.table import Table
from rich.text import Text

from hookgate_cli.output import (
    FILE,
    INPUT,
    INTERRUPTED,
    ExitCode,
    console_for,
    write_json,
    write_text,
)
from hookgate_cli.rehearse_view import RehearsalView
from hookgate_cli.words import marked
from hookgate_rehearsal.building.setup import RehearsalError
from hookgate_rehearsal.hooks import APPLICATION
from hookgate_rehearsal.record import rehearsal_record
from hookgate_rehearsal.rehearse import Rehearsal
from hookgate_rehearsal.scenario.reader import read_scenario
from hookgate_rehearsal.scenario.schema import DeploymentFile

#: As the scenario's own ``speed``.
SPEED = click.FloatRange(1, 1000)
#: The bundled example: a good version goes live, a bad one is rolled back.
EXAMPLE = APPLICATION / "examples" / "storefront" / "scenario.yaml"


@click.command("rehearse")
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...", type=INPUT)
@click.option("--speed", type=SPEED, help="Speed up AWS wait times by this factor.")
@click.option("--only", help="Run only the deployments whose name contains this text.")
@click.option(
    "--json", "json_file", type=FILE, help="Write the record; - for standard output."
)
@click.option("--junit", "junit_file", type=FILE, help="Write JUnit XML.")
@click.option("--html", "html_file", type=FILE, help="Write an HTML page.")
def command(  # noqa: PLR0913, PLR0917 - click passes each option by name
    scenarios: tuple[Path, ...],
    speed: float | None,
    only: str | None,
    json_file: str | None,
    junit_file: str | None,
    html_file: str | None,
) -> NoReturn:
    """Run blue/green deployments on this machine, with the shipped hooks.

    Without SCENARIO, the bundled storefront runs. Exit codes: 0 every deployment ended
    as its scenario expects, 1 one did not, 2 invalid input, 3 could not decide, or
    interrupted. After Ctrl-C, the files contain the partial results.
    """
    console = console_for((json_file, junit_file, html_file))
    read = [read_scenario(each).at(speed) for each in scenarios or (EXAMPLE,)]

    def selected(deployment: DeploymentFile) -> bool:
        return only is None or only in deployment.name

    deployments = (each for scenario in read for each in scenario.content.deployments)
    names = [each.name for each in deployments if selected(each)]
    if not names:
        raise click.UsageError(f"no deployment's name contains {only!r}")
    records: list[dict[str, Any]] = []
    interrupted = False
    try:
        for scenario in read:
            view = RehearsalView(console)
            rehearsal = Rehearsal(scenario=scenario, observer=view, records=records)
            with view.live:
                rehearsal.run(selected)
    except RehearsalError as error:
        click.echo(str(error), err=True)
        raise click.exceptions.Exit(ExitCode.COULD_NOT_DECIDE) from None
    except KeyboardInterrupt:
        interrupted = True
    if records:
        console.print(_summary(records))
    record = rehearsal_record(
        records, interrupted=interrupted, not_run=names[len(records) :]
    )
    _write(record, json_file, junit_file, html_file)
    if interrupted:
        click.echo(INTERRUPTED, err=True)
        raise click.exceptions.Exit(ExitCode.COULD_NOT_DECIDE)
    as_expected = all(each["as_expected"] for each in records)
    raise click.exceptions.Exit(ExitCode.PASSED if as_expected else ExitCode.FAILED)


def _summary(records: list[dict[str, Any]]) -> Table:
    table = Table(
        box=None, padding=(0, 2, 0, 0), title="\nsummary", title_justify="left"
    )
    for column in ("", "deployment", "status", "rollback", "requests", "failed"):
        table.add_column(column, header_style="dim")
    for each in records:
        rollback = each["rollback"]["status"] if each["rollback"] else ""
        traffic = each["production_traffic"]
        ended = "passed" if each["as_expected"] else "failed"
        table.add_row(
            marked("inconclusive" if each["interrupted"] else ended),
            each["name"],
            each["status"],
            rollback,
            str(traffic["requests"]),
            str(traffic["failed"]),
        )
    good = sum(each["as_expected"] for each in records)
    table.caption = Text(f"{good} of {len(records)} ended as expected")
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
        from hookgate_cli.junit import of_rehearsal  # noqa: PLC0415 - few runs ask for it

        write_text(of_rehearsal(record), junit_file)
    if html_file is not None:
        from hookgate_cli.page import page_of  # noqa: PLC0415 - as above

        write_text(page_of(record), html_file)
