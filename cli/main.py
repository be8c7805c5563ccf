"""The hookgate command."""

from __future__ import annotations

import logging
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import click

from hookgate.errors import InputError
from hookgate.registry import PROJECT
from hookgate_cli.output import INTERRUPTED, ExitCode, echo, printable_errors
from hookgate_cli.printable import continued

#: Each command stands in the module of its name, which is imported when it is called.
_COMMANDS = {
    "rehearse": "Run a whole blue/green deployment on this machine.",
    "serve": "Start the emulator, a local AWS endpoint.",
    "run": "Run the steps of one lifecycle event against a URL, without AWS.",
    "lint": "Check plans, AppSpecs and scenarios, offline.",
    "explain": "Show the steps of a plan at each event and their maximum time.",
    "schema": "Print the JSON Schema of a plan.",
    "validators": "List the validators, or show the options of one.",
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
@click.option(
    "--debug",
    is_flag=True,
    help="Show the log of validators and hooks at every level, on standard error.",
)
@click.pass_context
def hookgate(context: click.Context, *, debug: bool) -> None:
    """Decide whether a new version may receive production traffic.

    Exit codes: 0 passed, 1 failed, 2 invalid input, 3 could not decide.
    """
    if not debug:
        return
    logger, handler = logging.getLogger("hookgate"), logging.StreamHandler()
    handler.setFormatter(OneRecord("%(levelname)s %(name)s: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    context.call_on_close(lambda: logger.removeHandler(handler))
    context.call_on_close(lambda: logger.setLevel(logging.NOTSET))


class OneRecord(logging.Formatter):
    """Marks the further lines of a record, which could be taken for others."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        return continued(super().format(record))


def main() -> None:
    """Run the command; print an error that the user can correct without a traceback."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _stop)
    with _project_validators(), printable_errors():
        code = run(hookgate, sys.argv[1:])
    sys.exit(code)


@contextmanager
def _project_validators() -> Iterator[None]:
    """Make ``./validators`` a package that this process and its functions import.

    The link has a name that no other package has: PyPI has a package ``validators``.
    """
    folder, built_in = Path("validators").resolve(), find_spec("hookgate_validators")
    places = built_in.submodule_search_locations if built_in else None
    known = {Path(each).resolve() for each in places or ()}
    if folder in known or not folder.is_dir():
        yield
        return
    with TemporaryDirectory(prefix="hookgate-") as path:
        (Path(path) / PROJECT).symlink_to(folder)
        sys.path.append(path)
        yield


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
        echo(str(error), err=True)
        return ExitCode.WRONG_INPUT
    except (click.Abort, KeyboardInterrupt):
        echo(INTERRUPTED, err=True)
        return ExitCode.COULD_NOT_DECIDE
    except SystemExit:
        return ExitCode.COULD_NOT_DECIDE  # click's, where the reader of a pipe has gone
    except Exception as error:  # noqa: BLE001 - an internal error decides nothing
        if extra := _extra(error):
            what = f"This command needs the extra {extra!r}: {error}; run pip install"
            echo(f"{what} 'hookgate[{extra}]'", err=True)
            return ExitCode.WRONG_INPUT
        traceback.print_exc()
        echo("Internal error; no verdict", err=True)
        return ExitCode.COULD_NOT_DECIDE


#: The modules of each extra of pyproject.toml; a test compares them.
EXTRAS = {
    "rehearsal": (
        "awslambdaric",
        "cryptography",
        "flask",
        "flask_cors",
        "httptools",
        "jinja2",
        "moto",
        "psutil",
    ),
    "protocols": ("cssselect", "google", "grpc", "grpc_health", "lxml", "openapi_core"),
}


def _extra(error: Exception) -> str | None:
    """The extra that installs the module that was not found, if one does."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    top = (name or "").partition(".")[0]
    return next((extra for extra, has in EXTRAS.items() if top in has), None)
