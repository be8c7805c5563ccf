"""Answer events one after the other: ``warm_events MODULE COUNT``.

Standard error gets a line for each but the first: the seconds from invoke to reported
status, and the seconds that the record says its steps took.
"""

from __future__ import annotations

import importlib
import sys
import time

from benchmarks.programs.first_event import EVENT, Context


def main(module: str, count: int) -> None:
    """Invoke the handler ``count`` times in this warm process."""
    handler = importlib.import_module(module).handler
    for number in range(count + 1):
        started = time.perf_counter()
        record = handler(EVENT, Context())
        taken = time.perf_counter() - started
        if record["status"] != "Succeeded":
            raise SystemExit(str(record["outcomes"]))
        steps = sum(each["duration_ms"] for each in record["outcomes"]) / 1000
        if number:
            print(taken, steps, file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
