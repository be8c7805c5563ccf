"""``hookgate serve``: the stage as a standing local endpoint for any AWS client."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from cli.exit_code import ExitCode
from cli.port import is_free
from cli.rehearse import EXAMPLE
from cli.serve_log import ServeLog
from rehearsal.clients import lambda_at
from rehearsal.first_version import RehearsalError
from rehearsal.held_hooks import HeldHooks
from rehearsal.rehearse import Rehearsal
from rehearsal.scenario import read_scenario
from rehearsal.settings import StageSettings
from rehearsal.standing import stand

_LOOK_UP = 0.5  # seconds


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
@click.option(
    "--host",
    default=StageSettings().host,
    show_default=True,
    help="The address of everything, such as Docker's bridge, 172.17.0.1.",
)
@click.option(
    "--hold",
    type=click.Path(file_okay=False, path_type=Path),
    help="Run no hook: write each one's event into this folder for `sam local invoke`.",
)
@click.option(
    "--functions-at",
    metavar="URL",
    help="Invoke the hooks at this Lambda endpoint, as of `sam local start-lambda`.",
)
def command(
    scenario: Path | None,
    port: int,
    host: str,
    hold: Path | None,
    functions_at: str | None,
) -> None:
    """Set the stage of SCENARIO up and keep it until Ctrl-C.

    Without a SCENARIO it is the bundled storefront's. What is printed can be pasted
    into another shell: any AWS client works with the variables it sets.
    """
    if hold and functions_at:
        raise click.UsageError("give --hold or --functions-at, not both")
    read = read_scenario(scenario or EXAMPLE)
    if not is_free(host, port):
        raise click.ClickException(
            f"port {port} is taken by another program; give another with --port, or "
            "--port 0 for a free one"
        )
    console = Console(highlight=False, stderr=True)
    rehearsal = Rehearsal(
        scenario=read,
        audience=ServeLog(console),
        port=port,
        host=host,
        invoker=_invoker(hold, functions_at, console),
    )
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


def _invoker(hold: Path | None, functions_at: str | None, console: Console) -> Any:
    """Who invokes the hooks; None for the stage itself."""
    if hold is not None:
        return HeldHooks(
            hold, lambda file: console.print(f"held: {file} waits for a report")
        )
    return lambda_at(functions_at) if functions_at else None


def _wait() -> None:
    """Wait for Ctrl-C or SIGTERM, which main makes the same; it is the usual end.

    The kernel may hand a signal to any thread, and Python's handler runs in this one
    once it is awake: so it looks up now and then.
    """
    try:
        while True:
            threading.Event().wait(_LOOK_UP)
    except KeyboardInterrupt:
        return
