"""The hookgate command."""

from __future__ import annotations

import signal
import sys
import traceback
from difflib import get_close_matches
from importlib import import_module
from types import FrameType
from typing import Any

import click

from hookgate.errors import InputError
from hookgate_cli.output import INTERRUPTED, ExitCode

#: Each command stands in the module of its name, which is imported when it is called.
_COMMANDS = {
    "rehearse": "Run a whole blue/green deployment on this machine.",
    "serve": "Start the emulator, a local AWS endpoint.",
    "run": "Run the steps of one lifecycle event against a URL, without AWS.",
    "lint": "Check plans, AppSpecs and scenarios, offline.",
    "explain": "Show what a plan runs when, against what, and for how long.",
    "schema": "Print the JSON Schema of a plan.",
    "validators": "Show which validators there are, and their options.",
}


class _Lazy(click.Group):
    """Imports a command's module only when that command is called."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: Any = import_module(f"hookgate_cli.{name}").command
        return command  # type: ignore[no-any-return] # each module has one

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for one that is none, say which may have been meant."""
        if arguments and arguments[0] not in _COMMANDS:
            near = get_close_matches(arguments[0], _COMMANDS, n=1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            context.fail(
                f"No such command {arguments[0]!r}; {meant}There are: "
                f"{', '.join(_COMMANDS)}."
            )
        return super().resolve_command(context, arguments)

    def format_commands(
        self, _context: click.Context, formatter: click.HelpFormatter
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hookgate")
def hookgate() -> None:
    """Decide whether a new version may receive production traffic.

    Exit codes: 0 passed, 1 failed, 2 invalid input, 3 could not decide.
    """


def main() -> None:
    """Run the command; print an error that the user can correct without a traceback."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _stop)
    sys.exit(run(hookgate, sys.argv[1:]))


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """Interrupt the command, which first ends what it started."""
    raise KeyboardInterrupt


def run(command: click.Command, arguments: list[str]) -> int:
    """Run a command; returns its exit code, and raises nothing."""
    try:
        # Without standalone mode click returns the code that a command exits with.
        return command.main(arguments, "hookgate", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return ExitCode.WRONG_INPUT
    except InputError as error:
        click.echo(str(error), err=True)
        return ExitCode.WRONG_INPUT
    except (click.Abort, KeyboardInterrupt):
        click.echo(INTERRUPTED, err=True)
        return ExitCode.COULD_NOT_TELL
    except SystemExit:
        return ExitCode.COULD_NOT_TELL  # click's, where the reader of a pipe has gone
    except Exception:  # noqa: BLE001 - an accident is never a no
        traceback.print_exc()
        click.echo("Internal error; no verdict", err=True)
        return ExitCode.COULD_NOT_TELL
