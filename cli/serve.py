"""``hookgate serve``: the emulator as a local endpoint for any AWS client."""

from __future__ import annotations

import errno
import shlex
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from hookgate.context import Endpoint
from hookgate_cli.output import INPUT, Console, ExitCode, console_for, echo
from hookgate_cli.printable import Text, continued
from hookgate_cli.rehearse import EXAMPLE, SPEED
from hookgate_cli.run import parse_url
from hookgate_cli.words import alarm_style, marked, style
from hookgate_rehearsal.building import RehearsalError
from hookgate_rehearsal.clients import lambda_at
from hookgate_rehearsal.cloudwatch.alarms import AlarmChanged
from hookgate_rehearsal.codedeploy.engine import Change, EventEnded, StatusChanged
from hookgate_rehearsal.codedeploy.model.deployment import EventStatus
from hookgate_rehearsal.ecs.containers import Image, local_command
from hookgate_rehearsal.emulator import EmulatorSettings
from hookgate_rehearsal.endpoint.access import KEY_PATTERN, AccessKey
from hookgate_rehearsal.hooks import HeldHooks, Outcome
from hookgate_rehearsal.rehearse import Rehearsal, RehearsalObserver
from hookgate_rehearsal.scenario.reader import read_scenario
from hookgate_rehearsal.serve import empty_instructions, prepare


class ServeLog(RehearsalObserver):
    """Writes a line for each change that a client's deployment makes."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def change(self, change: Change) -> None:
        """Log a deployment's status, or an event that ended."""
        id_ = change.deployment.id
        if isinstance(change, StatusChanged):
            self._write(id_, str(change.deployment.status), "")
        elif isinstance(change, EventEnded):
            event = change.event
            if event.status is not EventStatus.SKIPPED:
                message = "" if event.name.is_hook else event.message
                self._write(id_, str(event.status), f"{event.name}  {message}")

    def outcome(self, deployment_id: str, event: str, outcome: Outcome) -> None:
        """Log the outcome of a step."""
        status = outcome["status"]
        why = "" if status == "passed" else f": {outcome['reason']}"
        self._write(deployment_id, status, f"{event}: {outcome['name']}{why}")

    def alarm(self, change: AlarmChanged) -> None:
        """Log the new state of an alarm."""
        alarm = change.alarm
        line = Text.assemble(
            ("alarm      ", "dim"),
            f"  {alarm.name}: {change.before} -> ",
            (str(alarm.state), alarm_style(alarm.state)),
            f"  {continued(alarm.reason)}",
        )
        self._console.print(line, soft_wrap=True)

    def _write(self, deployment_id: str, status: str, text: str) -> None:
        line = Text.assemble(
            (deployment_id, "dim"),
            "  ",
            marked(status),
            " ",
            (status, style(status)),
            f"  {continued(text.rstrip())}",
        )
        self._console.print(line, soft_wrap=True)


def check_port(host: str, port: int) -> None:
    """Refuse an address that the emulator cannot listen on; port 0 is any free one.

    Raises:
        click.ClickException: it cannot, with the reason.
    """
    try:
        with socket.create_server((host, port)):
            return
    except OSError as error:
        problems = {
            errno.EADDRINUSE: f"port {port} is in use; choose another with --port, or "
            "--port 0 for a free one",
            errno.EACCES: f"no permission to listen on port {port}; use --port above "
            "1023",
        }
        other = f"{host} is not an address of this machine; use --host, for example "
        problem = problems.get(error.errno or 0, f"{other}127.0.0.1")
        raise click.ClickException(problem) from None


def read_image(given: str) -> tuple[str, Image]:
    """The name and the program of ``--image NAME=COMMAND``.

    Raises:
        click.BadParameter: it is not of that form.
    """
    name, _, words = given.partition("=")
    try:
        command = local_command(shlex.split(words))
    except ValueError as error:
        raise click.BadParameter(f"{given}: {error}") from None
    if not name or not command:
        raise click.BadParameter(f"{given!r} is not NAME=COMMAND")
    return name, Image(command=command, directory=Path.cwd())


@click.command("serve")
@click.argument("scenario", required=False, type=INPUT)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=4510,
    show_default=True,
    help="The endpoint's port; 0 for a free one.",
)
@click.option(
    "--host",
    default=EmulatorSettings().host,
    show_default=True,
    help="The address to listen on, such as Docker's bridge, 172.17.0.1.",
)
@click.option(
    "--access-key",
    metavar="ID",
    callback=lambda _context, _option, given: _access_key(given),
    help="The access key id that clients need, instead of a random one.",
)
@click.option(
    "--speed",
    type=SPEED,
    help="Speed up AWS wait times by this factor, instead of the scenario's.",
)
@click.option(
    "--empty",
    is_flag=True,
    help="Create no resources. SCENARIO gives images, functions and speed only.",
)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="NAME=COMMAND",
    type=read_image,
    help="The command that runs an image; without a tag, for all its tags. Repeatable.",
)
@click.option(
    "--hold",
    type=click.Path(file_okay=False, path_type=Path),
    help="Run no hooks. Write their events to this folder, for `sam local invoke`.",
)
@click.option(
    "--functions-at",
    metavar="URL",
    type=parse_url,
    help="Invoke the hooks at this Lambda endpoint, such as `sam local start-lambda`.",
)
def command(  # noqa: PLR0913, PLR0917 - click passes each option by name
    scenario: Path | None,
    port: int,
    host: str,
    access_key: AccessKey,
    speed: float | None,
    empty: bool,
    images: tuple[tuple[str, Image], ...],
    hold: Path | None,
    functions_at: Endpoint | None,
) -> None:
    """Start the emulator with the resources of SCENARIO, until Ctrl-C.

    Without SCENARIO, the bundled storefront is used. Paste the export lines
    of the output into another shell to point an AWS client to the emulator, and one of
    the create-deployment commands to deploy. With --empty, create all resources
    yourself with an AWS client.
    """
    if hold and functions_at:
        raise click.UsageError("use --hold or --functions-at, not both")
    read = read_scenario(scenario or EXAMPLE).at(speed)
    check_port(host, port)
    console = console_for(("-",))  # instructions have standard output
    rehearsal = Rehearsal(
        scenario=read,
        observer=ServeLog(console),
        port=port,
        host=host,
        key=access_key,
        invoker=_invoker(hold, functions_at, console),
        images=dict(images),
    )
    console.print("Starting the emulator …", style="dim")
    try:
        with _started(rehearsal, empty=empty) as text:
            echo(text)
            _wait(console)
            console.print("Stopping the emulator …", style="dim")
    except RehearsalError as error:
        echo(continued(str(error)), err=True)
        raise click.exceptions.Exit(ExitCode.COULD_NOT_DECIDE) from None


@contextmanager
def _started(rehearsal: Rehearsal, *, empty: bool) -> Iterator[str]:
    """Run the emulator; yields the text that says how to use it."""
    if empty:
        with rehearsal.emulator() as emulator:
            yield empty_instructions(emulator)
    else:
        with prepare(rehearsal) as prepared:
            yield prepared.instructions()


def _access_key(given: str | None) -> AccessKey:
    if given is None:
        return AccessKey.random()
    if not KEY_PATTERN.fullmatch(given):
        raise click.BadParameter("must have 16 to 128 letters, digits and underscores")
    return AccessKey(given)


def _invoker(hold: Path | None, functions_at: Endpoint | None, console: Console) -> Any:
    """The client that invokes the hooks; None for the emulator's own Lambda."""
    if hold is not None:
        try:
            hold.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"cannot create the folder {hold}: {error.strerror}"
            raise click.BadParameter(what, param_hint="--hold") from None
        return HeldHooks(
            hold, lambda file: console.print(f"held: {file}; waiting for its report")
        )
    return lambda_at(functions_at.url) if functions_at else None


def _wait(console: Console) -> None:
    """Wait for Ctrl-C or SIGTERM.

    Python handles the signal in this thread, which the kernel may not wake for it, so
    the thread wakes at intervals.
    """
    try:
        console.print("\nReady. Press Ctrl-C to stop.", style="bold")
        while True:
            threading.Event().wait(0.5)
    except KeyboardInterrupt:
        return
