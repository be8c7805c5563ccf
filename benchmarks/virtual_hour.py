"""``virtual_hour``: how long two deployments of an hour take on the virtual clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from benchmarks.account import PROGRAMS, ROOT
from benchmarks.figures import Measured, each_at_most

#: Seconds for both: one of canary steps and waits, one of a hook that never answers.
BOUND = 1.0
RUNS = 5
_HOUR = 3600.0
_ENDED = ["Succeeded", "Failed"]


def measure(runs: int) -> tuple[Measured, ...]:
    """Play the two in a process of their own; its start does not count."""
    return (
        Measured(
            what="an hour of steps and waits, and a hook silent for an hour",
            unit="s",
            values=tuple(_play() for _ in range(runs)),
            bound=each_at_most(BOUND),
        ),
    )


def _play() -> float:
    folders = (ROOT, ROOT / "layer", ROOT / "tests")
    done = subprocess.run(
        [sys.executable, str(PROGRAMS / "virtual_hour.py")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))},
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    ended = [status for status, _ in told["played"]]
    if ended != _ENDED or min(lasted for _, lasted in told["played"]) < _HOUR:
        raise RuntimeError(f"that was not an hour each: {told}")
    taken: float = told["taken"]
    return taken
