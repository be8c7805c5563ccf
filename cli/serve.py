"""``hookgate serve``: the stage as a standing local endpoint for any AWS client."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from cli.exit_code import ExitCode
from cli.given import parse_url
from cli.port import check_port
from cli.rehearse import EXAMPLE, SPEED
from cli.serve_log import ServeLog
from rehearsal.clients import lambda_at
from rehearsal.ecs.images import Image, local_command
from rehearsal.first_version import RehearsalError
from rehearsal.hooks.held import HeldHooks
from rehearsal.rehearse import Rehearsal
from rehearsal.scenario.scenario import read_scenario
from rehearsal.settings import StageSettings
from rehearsal.standing import stand, told_empty

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
    "--speed",
    type=SPEED,
    help="Let AWS's waits pass so many times faster; the scenario's if left out.",
)
@click.option(
    "--empty",
    is_flag=True,
    help="Build nothing: SCENARIO gives images, functions and speed only.",
)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="NAME=COMMAND",
    callback=lambda _context, _option, given: _images(given),
    help="What to run for an image; without a tag, for all its tags. May be repeated.",
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
def command(  # noqa: PLR0913, PLR0917 - click hands over each option by name
    scenario: Path | None,
    port: int,
    host: str,
    speed: float | None,
    empty: bool,
    images: Mapping[str, Image],
    hold: Path | None,
    functions_at: str | None,
) -> None:
    """Set the stage of SCENARIO up and keep it until Ctrl-C.

    Without a SCENARIO it is the bundled storefront's. What is printed can be pasted
    into another shell: any AWS client works with the variables it sets. An --empty
    stage is for building everything yourself with such a client.
    """
    if hold and functions_at:
        raise click.UsageError("give --hold or --functions-at, not both")
    read = read_scenario(scenario or EXAMPLE).at(speed)
    check_port(host, port)
    console = Console(highlight=False, stderr=True)
    rehearsal = Rehearsal(
        scenario=read,
        audience=ServeLog(console),
        port=port,
        host=host,
        invoker=_invoker(hold, functions_at, console),
        images=images,
    )
    console.print("setting the stage …", style="dim")
    try:
        with _told(rehearsal, empty=empty) as told:
            click.echo(told)
            console.print("\nthe stage stands; Ctrl-C ends it", style="bold")
            _wait()
            console.print("closing the stage …", style="dim")
    except RehearsalError as error:
        click.echo(str(error), err=True)
        raise click.exceptions.Exit(ExitCode.COULD_NOT_TELL) from None


@contextmanager
def _told(rehearsal: Rehearsal, *, empty: bool) -> Iterator[str]:
    """A stage that stands, and what to tell of it."""
    if empty:
        with rehearsal.stage() as stage:
            yield told_empty(stage)
    else:
        with stand(rehearsal) as standing:
            yield standing.told()


def _images(given: Iterable[str]) -> dict[str, Image]:
    found = {}
    for each in given:
        name, _, words = each.partition("=")
        try:
            command = local_command(shlex.split(words))
        except ValueError as error:
            raise click.BadParameter(f"{each}: {error}") from None
        if not name or not command:
            raise click.BadParameter(f"{each!r} is not NAME=COMMAND")
        found[name] = Image(command=command, directory=Path.cwd())
    return found


def _invoker(hold: Path | None, functions_at: str | None, console: Console) -> Any:
    """Who invokes the hooks; None for the stage itself."""
    if hold is not None:
        try:
            hold.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            said = f"the folder {hold} cannot be made: {error.strerror}"
            raise click.BadParameter(said, param_hint="--hold") from None
        return HeldHooks(
            hold, lambda file: console.print(f"held: {file} waits for a report")
        )
    if functions_at is None:
        return None
    return lambda_at(parse_url(functions_at, "--functions-at").url)


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
