"""Count samples, and print by how many megabytes the peak grew above an idle process.

The samples go through everything that a load keeps: latencies, lateness, statuses.
"""

from __future__ import annotations

import json
import random
import sys

from benchmarks.programs.memory import peak
from hookgate.traffic.results import Latencies, Tally
from hookgate.traffic.thresholds import counted


def main() -> None:
    """Count as many samples as the first argument says."""
    chance = random.Random(7)  # noqa: S311 - samples
    seconds = [chance.lognormvariate(-4, 2) for _ in range(100_000)]
    tally, lateness = Tally(status=("2xx",)), Latencies()
    counted(tally)
    idle = peak()
    left = int(sys.argv[1])
    while left > 0:
        for each in seconds[:left]:
            tally.statuses[200] += 1
            tally.latencies.add(each)
            lateness.add(each)
        left -= len(seconds)
    counted(tally)
    print(json.dumps({"peak": peak() - idle}))


if __name__ == "__main__":
    main()
