"""``under_load``: ten deployments, five of them rolled back, at 500 requests/s."""

from __future__ import annotations

from typing import Any

from benchmarks.figures import Measured, each_at_most
from benchmarks.program import run_program

RUNS = 2


def measure(runs: int) -> tuple[Measured, ...]:
    """Count the requests that fail, and those that the emulator was too slow for."""
    results = [_run() for _ in range(runs)]

    def counted(what: str, name: str, most: float | None = None) -> Measured:
        values = tuple(float(each[name]) for each in results)
        bound = None if most is None else each_at_most(most)
        return Measured(what=what, unit="requests", values=values, bound=bound)

    return (
        counted("ended", "requests"),
        counted("failed", "failed", 0),
        counted("not sent, as 256 were under way", "dropped", 0),
    )


def _run() -> dict[str, Any]:
    results = run_program("under_load")
    if not results["as_expected"]:
        raise RuntimeError(f"the deployments did not end as they must: {results}")
    return results
