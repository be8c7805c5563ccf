"""``hookgate serve``: the stage as a standing local endpoint for any AWS client."""

from __future__ import annotations

import threading
from pathlib import Path

import click
from rich.console import Console

from cli.exit_code import ExitCode
from cli.port import is_free
from cli.rehearse import EXAMPLE
from cli.serve_log import ServeLog
from rehearsal.first_version import RehearsalError
from rehearsal.rehearse import Rehearsal
from rehearsal.scenario import read_scenario
from rehearsal.settings import StageSettings
from rehearsal.standing import stand


@click.command("serve")
@click.argument(
    "scenario",
    required=False,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=4510,
    show_default=True,
    help="The endpoint's port; 0 takes a free one.",
)
def command(scenario: Path | None, port: int) -> None:
    """Set the stage of SCENARIO up and keep it until Ctrl-C.

    Without a SCENARIO it is the bundled storefront's. What is printed can be pasted
    into another shell: any AWS client works with the variables it sets.
    """
    read = read_scenario(scenario or EXAMPLE)
    if not is_free(StageSettings().host, port):
        raise click.ClickException(
            f"port {port} is taken by another program; give another with --port, or "
            "--port 0 for a free one"
        )
    console = Console(highlight=False, stderr=True)
    rehearsal = Rehearsal(scenario=read, audience=ServeLog(console), port=port)
    console.print("setting the stage …", style="dim")
    try:
        with stand(rehearsal) as standing:
            click.echo(standing.told())
            console.print("\nthe stage stands; Ctrl-C ends it", style="bold")
            _wait()
            console.print("closing the stage …", style="dim")
    except RehearsalError as error:
        click.echo(str(error), err=True)
        raise click.exceptions.Exit(ExitCode.COULD_NOT_TELL) from None


def _wait() -> None:
    """Wait for Ctrl-C or SIGTERM, which main makes the same; it is the usual end."""
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return
