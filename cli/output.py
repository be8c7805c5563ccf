"""The files, the console and the exit codes of commands."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from enum import IntEnum
from pathlib import Path
from typing import IO, Any, TextIO, cast

import click
import rich.console
import rich.text

from hookgate.reporting import ascii_json
from hookgate_cli.printable import printable, without_commands

#: Columns where no terminal says how many: as wide as the pages of CI servers.
_PIPE_WIDTH = 120

_FILLING = re.compile(r" +$", re.MULTILINE)


class _File(click.Path):
    """A file to write, which is tried before anything has run for minutes."""

    name = "file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        file = str(super().convert(value, param, ctx))
        if file != "-" and not os.path.lexists(file):
            try:
                Path(file).touch()
                Path(file).unlink()
            except OSError as error:
                self.fail(f"cannot write {file!r}: {error.strerror}", param, ctx)
        return file


#: A file to read.
INPUT = click.Path(exists=True, dir_okay=False, path_type=Path)

#: An option that takes a file to write, ``-`` for standard output.
FILE = _File(dir_okay=False, writable=True, allow_dash=True)


class Console(rich.console.Console):
    """A console that prints printable text, and reads neither markup nor emoji codes.

    Args:
        stream: the stream to write to; a pipe has no spaces at the ends of lines.
    """

    def __init__(self, stream: TextIO, **options: Any) -> None:
        def lines(text: str) -> str:
            # Again, because a line can begin where a long text is wrapped.
            return without_commands(text if is_terminal else _FILLING.sub("", text))

        is_terminal = stream.isatty()
        file = cast("IO[str]", _Filtered(stream, lines))
        super().__init__(
            file=file, highlight=False, markup=False, emoji=False, **options
        )

    def render_str(self, text: str, **options: Any) -> rich.text.Text:
        """Make a text for the terminal."""
        return super().render_str(printable(text), **options)


def console_for(files: Sequence[str | None]) -> Console:
    """The console for messages: standard error when a record takes standard output.

    Raises:
        click.UsageError: two records would share a file or standard output.
    """
    for file, times in Counter(each for each in files if each is not None).items():
        if times > 1:
            name = "-, standard output" if file == "-" else file
            raise click.UsageError(f"only one record can go to {name}")
    # The stream itself: while steps are judged, sys.stdout is routed to their logs.
    stream = sys.stderr if "-" in files else sys.stdout
    stream = getattr(stream, "unfiltered", stream)
    is_wide = not stream.isatty() and "COLUMNS" not in os.environ
    return Console(stream, width=_PIPE_WIDTH if is_wide else None)


class _Filtered:
    """A stream whose text passes through a filter."""

    def __init__(self, stream: TextIO, text: Callable[[str], str]) -> None:
        self.unfiltered = stream
        self._text = text

    def write(self, text: str) -> int:
        """Write whole lines."""
        return self.unfiltered.write(self._text(text))

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # which has no filter
            raise AttributeError(name)
        return getattr(self.unfiltered, name)


@contextmanager
def printable_errors() -> Iterator[None]:
    """Make standard error printable, such as log lines, warnings and tracebacks."""
    with redirect_stderr(cast("TextIO", _Filtered(sys.stderr, printable))):
        yield


def echo(text: str, *, err: bool = False) -> None:
    """Print ``text``, printable, to standard output or standard error."""
    click.echo(printable(text), err=err)


def write_json(record: Mapping[str, Any], file: str | None) -> None:
    """Write a record as JSON in ASCII, with its exact text, if a file was given."""
    if file is not None:
        write_text(ascii_json(record, indent=2) + "\n", file)


def write_text(text: str, file: str) -> None:
    """Write ``text`` as UTF-8 to a file, or to standard output for ``-``."""
    content = text.encode()
    if file == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        Path(file).write_bytes(content)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None


#: Printed when the user interrupts a command; it exits with COULD_NOT_DECIDE.
INTERRUPTED = "Interrupted; no verdict"


class ExitCode(IntEnum):
    """0 passed, 1 failed, 2 invalid input, 3 could not decide."""

    PASSED = 0
    FAILED = 1
    WRONG_INPUT = 2
    COULD_NOT_DECIDE = 3


def of_verdict(record: dict[str, Any]) -> ExitCode:
    """The exit code of a verdict record.

    A failed step outweighs one that could not decide.
    """
    if record["status"] == "Succeeded":
        return ExitCode.PASSED
    blocking = [each for each in record["outcomes"] if each["blocking"]]
    if any(each["status"] == "failed" for each in blocking):
        return ExitCode.FAILED
    return ExitCode.COULD_NOT_DECIDE
