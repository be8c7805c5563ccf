"""Programs that are measured in a process of their own, on the tests' pieces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from benchmarks.account import PROGRAMS, ROOT


def run_program(name: str) -> dict[str, Any]:
    """Run a program of ``programs/``, and return the JSON object that it prints."""
    folders = (ROOT, ROOT / "src", ROOT / "tests")
    done = subprocess.run(
        [sys.executable, str(PROGRAMS / f"{name}.py")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed
