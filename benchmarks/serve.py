"""``serve``: the start time of the emulator."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.figures import Measured, each_at_most

#: Seconds from start to an emulator whose first version is healthy.
BOUND = 4.0
RUNS = 5


def measure(runs: int) -> tuple[Measured, ...]:
    """Start the bundled scenario's emulator, and stop it once it is ready."""
    return (
        Measured(
            what="from start to a ready emulator",
            unit="s",
            values=tuple(_start() for _ in range(runs)),
            bound=each_at_most(BOUND),
        ),
    )


def _start() -> float:
    command = [str(Path(sys.executable).with_name("hookgate")), "serve", "--port", "0"]
    started = time.monotonic()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101 - Popen was given a PIPE
        first = process.stdout.readline()
        taken = time.monotonic() - started
        process.terminate()
        output = process.communicate()[1]
    if not first:
        raise RuntimeError(f"the emulator did not start:\n{output}")
    return taken
