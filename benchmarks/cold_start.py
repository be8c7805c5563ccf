"""``cold_start``: the CPU of the first event, beside that of a bare handler."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from benchmarks.account import BARE, HOOK, PROGRAMS, account
from benchmarks.figures import Measured, median_at_most

#: How many times the CPU of a bare handler.
BOUND = 1.6
RUNS = 15


def measure(runs: int) -> tuple[Measured, ...]:
    """Start both handlers in turn, so that a busy machine is busy for both."""
    with account() as environ:
        for module in (BARE, HOOK):  # fills the page cache, and writes bytecode
            cpu_seconds(module, environ)
        pairs = [
            (cpu_seconds(BARE, environ), cpu_seconds(HOOK, environ))
            for _ in range(runs)
        ]
    return (
        Measured(
            what="CPU of a bare handler",
            unit="ms",
            values=tuple(bare * 1000 for bare, _ in pairs),
        ),
        Measured(
            what="CPU of the shipped handler",
            unit="ms",
            values=tuple(hook * 1000 for _, hook in pairs),
        ),
        Measured(
            what="ratio, pair by pair",
            unit="x",
            values=tuple(hook / bare for bare, hook in pairs),
            bound=median_at_most(BOUND),
        ),
    )


def cpu_seconds(module: str, environ: Mapping[str, str]) -> float:
    """The CPU of a process that imports a handler and answers one event.

    Raises:
        CalledProcessError: the handler did not report Succeeded.
    """
    programs = (PROGRAMS / "meter.py", sys.executable, PROGRAMS / "first_event.py")
    done = subprocess.run(
        [sys.executable, *map(str, programs), module],
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout)
