"""Programs that are measured in a process of their own, on the tests' pieces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from benchmarks.account import PROGRAMS, ROOT


def told(name: str) -> dict[str, Any]:
    """What a program of ``programs/`` prints, a JSON object."""
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
