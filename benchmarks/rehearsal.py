"""``rehearsal``: time and memory of the bundled example."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.account import ROOT
from benchmarks.figures import Measured, each_at_most

#: Seconds for two deployments on two cores.
BOUND = 20.0
#: Megabytes of the process that runs the emulator; its tasks and functions are apart.
MEMORY_BOUND = 300.0
CORES = 2
RUNS = 3

_SCENARIO = ROOT / "examples" / "storefront" / "scenario.yaml"
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_LOOK = 0.05


def measure(runs: int) -> tuple[Measured, ...]:
    """Run the bundled example, which has two deployments, on two cores."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(cores)[:CORES])
    try:
        results = [rehearse() for _ in range(runs)]
    finally:
        os.sched_setaffinity(0, cores)
    return (
        Measured(
            what="two deployments",
            unit="s",
            values=tuple(seconds for seconds, _ in results),
            bound=each_at_most(BOUND),
        ),
        Measured(
            what="peak memory of the emulator",
            unit="MB",
            values=tuple(peak for _, peak in results),
            bound=each_at_most(MEMORY_BOUND),
        ),
    )


def rehearse() -> tuple[float, float]:
    """One rehearsal: its seconds, and the peak of its own process in megabytes.

    Raises:
        CalledProcessError: a deployment did not end as the scenario expects.
    """
    command = [str(Path(sys.executable).with_name("hookgate")), "rehearse"]
    started = time.monotonic()
    with subprocess.Popen(
        [*command, str(_SCENARIO)], stdout=subprocess.DEVNULL
    ) as process:
        status, peak = Path(f"/proc/{process.pid}/status"), 0
        while process.poll() is None:
            output = _PEAK.search(status.read_text())
            peak = int(output[1]) if output else peak  # gone once it has ended
            time.sleep(_LOOK)
        taken = time.monotonic() - started
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return taken, peak * 1024 / 1e6
