"""``open_model``: how exact a schedule is kept, and what is told of the answers.

At 20 % of full speed, beside h2load at the same rate and connections, whose own log has
each answer in microseconds; and memory, for ten million samples.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.account import PROGRAMS, ROOT
from benchmarks.figures import Measured, each_at_most, median_at_most
from benchmarks.proxies import need, on
from benchmarks.traffic import load, usual_rate
from benchmarks.web import CLIENT, nginx

#: Milliseconds that the 99th percentile of lateness may be.
LATENESS_BOUND = 2.0
#: Megabytes above the idle process, for ten million samples.
MEMORY_BOUND = 40.0
SAMPLES = 10_000_000
SHARE = 0.2
RUNS = 5
_CONNECTIONS = 16
_SECONDS = 4


def measure(runs: int) -> tuple[Measured, ...]:
    """Send at a fifth of full speed, then do the same with h2load, in turn."""
    need(("h2load",))
    with nginx() as (port, _, _):
        rate = SHARE * usual_rate(port, _CONNECTIONS)
        asked = {"port": port, "connections": 400, "rate": rate, "seconds": _SECONDS}
        pairs = [(load(asked), _h2load(port, rate)) for _ in range(runs)]
    p99 = [(own["latency_ms"]["p99"], theirs) for own, theirs in pairs]
    late = tuple(own["lateness_ms"]["p99"] for own, _ in pairs)
    return (
        Measured(what="rate", unit="/s", values=tuple(o["rate"] for o, _ in pairs)),
        Measured(
            what="lateness, p99", unit="ms", values=late, bound=median_at_most(2.0)
        ),
        Measured(what="latency, p99", unit="ms", values=tuple(o for o, _ in p99)),
        Measured(what="h2load's p99", unit="ms", values=tuple(t for _, t in p99)),
        Measured(
            what="p99 in those of h2load", unit="x", values=tuple(o / t for o, t in p99)
        ),
        Measured(
            what="memory of ten million samples",
            unit="MB",
            values=tuple(_memory() for _ in range(2)),
            bound=each_at_most(MEMORY_BOUND),
        ),
    )


def _h2load(port: int, rate: float) -> float:
    """The 99th percentile in milliseconds of what h2load logs, the first 0.5 s off."""
    each = max(1, round(rate / _CONNECTIONS))
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        command = ("h2load", "--h1", "-t1", f"-c{_CONNECTIONS}", f"-D{_SECONDS}")
        options = (f"--rps={each}", f"--log-file={log}", f"http://127.0.0.1:{port}/")
        subprocess.run(on(CLIENT, *command, *options), capture_output=True, check=True)
        rows = [line.split("\t") for line in log.read_text().splitlines()]
    micros = sorted(int(row[2]) for row in rows if row[1] == "200")
    return micros[int(0.99 * (len(micros) - 1))] / 1000


def _memory() -> float:
    """What ten million samples take above the idle process, in megabytes."""
    program = [sys.executable, str(PROGRAMS / "samples.py"), str(SAMPLES)]
    environ = {"PYTHONPATH": str(ROOT / "layer")}
    done = subprocess.run(
        program, env=environ, capture_output=True, text=True, check=True
    )
    return float(done.stdout)
