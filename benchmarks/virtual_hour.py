"""``virtual_hour``: how long two deployments of an hour take on the virtual clock."""

from __future__ import annotations

from benchmarks.figures import Measured, each_at_most
from benchmarks.program import run_program

#: Seconds for both: one of canary steps and waits, one of a hook that never answers.
BOUND = 1.0
RUNS = 5
_HOUR = 3600.0
_ENDED = ["Succeeded", "Failed"]


def measure(runs: int) -> tuple[Measured, ...]:
    """Run the two in a process of their own; its start does not count."""
    return (
        Measured(
            what="an hour of steps and waits, and a hook silent for an hour",
            unit="s",
            values=tuple(_run() for _ in range(runs)),
            bound=each_at_most(BOUND),
        ),
    )


def _run() -> float:
    results = run_program("virtual_hour")
    ended = [status for status, _ in results["deployments"]]
    if ended != _ENDED or min(lasted for _, lasted in results["deployments"]) < _HOUR:
        raise RuntimeError(f"that was not an hour each: {results}")
    taken: float = results["taken"]
    return taken
