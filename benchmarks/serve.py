"""``serve``: how soon an emulator stands."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.figures import Measured, each_at_most

#: Seconds from start to an emulator whose first version serves customers.
BOUND = 4.0
RUNS = 5


def measure(runs: int) -> tuple[Measured, ...]:
    """Start the bundled scenario's emulator, and end it once it stands."""
    return (
        Measured(
            what="from start to an emulator that stands",
            unit="s",
            values=tuple(_stand() for _ in range(runs)),
            bound=each_at_most(BOUND),
        ),
    )


def _stand() -> float:
    command = [str(Path(sys.executable).with_name("hookgate")), "serve", "--port", "0"]
    started = time.monotonic()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101 - Popen was given a PIPE
        first = process.stdout.readline()
        taken = time.monotonic() - started
        process.terminate()
        said = process.communicate()[1]
    if not first:
        raise RuntimeError(f"the emulator never stood:\n{said}")
    return taken
