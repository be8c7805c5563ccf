"""A program in a folder of its own, made of the row's ``program``."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

from support.worlds import options_of


@contextlib.contextmanager
def world(row):
    """The row's Python, as the executable that stands for ``./judge``."""
    options = options_of("command", row)
    with tempfile.TemporaryDirectory() as folder:
        judge = Path(folder) / "judge"
        judge.write_text(f"#!{sys.executable} -IS\n{row.get('program', '')}")
        judge.chmod(0o755)
        options["run"] = [
            each.replace("./judge", str(judge)) for each in options["run"]
        ]
        yield {**row, "with": options}, {}
