"""Programs that are measured in a process of their own, on the tests' pieces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from benchmarks.account import PROGRAMS, ROOT
from benchmarks.proxies import on


def run_program(name: str, *arguments: str, core: int | None = None) -> dict[str, Any]:
    """Run a program of ``programs/``, and return the JSON object that it prints.

    Args:
        name: the name of the program.
        arguments: its arguments.
        core: the core that it is limited to.
    """
    folders = (ROOT, ROOT / "src", ROOT / "tests")
    command = [sys.executable, str(PROGRAMS / f"{name}.py"), *arguments]
    done = subprocess.run(
        command if core is None else on(core, *command),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed
