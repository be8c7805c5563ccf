"""The files, the console and the exit codes of commands."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import IO, Any, TextIO, cast

import click
from rich.console import Console

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
    if stream.isatty():
        return Console(file=stream, highlight=False)
    width = None if "COLUMNS" in os.environ else _PIPE_WIDTH
    return Console(file=cast("IO[str]", _Trimmed(stream)), highlight=False, width=width)


class _Trimmed:
    """A file or a pipe: lines without the spaces that would fill up a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write whole lines, each without the spaces at its end."""
        return self._stream.write(_FILLING.sub("", text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def write_json(record: Mapping[str, Any], file: str | None) -> None:
    """Write a record as JSON, if a file was given."""
    if file is not None:
        write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", file)


def write_text(text: str, file: str) -> None:
    """Write ``text`` as UTF-8 to a file, or to standard output for ``-``.

    Half of a surrogate pair, possible in a response body, is written as its escape.
    """
    content = text.encode("utf-8", "backslashreplace")
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
