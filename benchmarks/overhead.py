"""``overhead``: what a warm pass takes beside its one step."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.account import HOOK, account
from benchmarks.figures import Measured, median_at_most

#: Milliseconds from invoke to reported status, less those of the step.
BOUND = 50.0
PROGRAM = "benchmarks.programs.warm_events"
RUNS = 50


def measure(runs: int) -> tuple[Measured, ...]:
    """Invoke the shipped handler again and again in one process.

    Raises:
        CalledProcessError: the handler did not report Succeeded.
    """
    with account() as environ:
        done = subprocess.run(
            [sys.executable, "-m", PROGRAM, HOOK, str(runs)],
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=True,
        )
    lines = [line.split() for line in done.stderr.splitlines()]
    taken = [(float(whole) * 1000, float(step) * 1000) for whole, step in lines]
    return (
        Measured(what="the step", unit="ms", values=tuple(step for _, step in taken)),
        Measured(
            what="invoke to reported status, less the step",
            unit="ms",
            values=tuple(whole - step for whole, step in taken),
            bound=median_at_most(BOUND),
        ),
    )
