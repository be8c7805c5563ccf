"""Where records go: to a file, or alone to standard output for ``-``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

#: An option that takes a file to write, ``-`` for standard output.
FILE = click.Path(dir_okay=False, writable=True, allow_dash=True)


def console_for(files: Sequence[str | None]) -> Console:
    """The console to talk on: standard error when a record takes standard output.

    Raises:
        click.UsageError: two records would share standard output.
    """
    taken = [each for each in files if each == "-"]
    if len(taken) > 1:
        raise click.UsageError("only one of the files can be -, standard output")
    return Console(stderr=bool(taken), highlight=False)


def write_json(record: dict[str, Any], file: str | None) -> None:
    """Write a record as JSON, if a file was asked for."""
    if file is not None:
        write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", file)


def write_text(text: str, file: str) -> None:
    """Write ``text`` to a file, or to standard output for ``-``."""
    if file == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        Path(file).write_text(text, encoding="utf-8")
