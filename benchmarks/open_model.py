"""``open_model``: the precision of the schedule, and of the measured latency.

At 20 % of full speed, beside h2load at the same rate and connections, whose own log has
each answer in microseconds; and memory, for ten million samples.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from benchmarks.account import PROGRAMS
from benchmarks.figures import Measured, each_at_most, median_at_least, median_at_most
from benchmarks.program import run_program
from benchmarks.proxies import need, on
from benchmarks.traffic import load, usual_rate
from benchmarks.web import CLIENT, SERVER, Web, nginx

#: Milliseconds that the 99th percentile of lateness may be.
LATENESS_BOUND = 2.0
#: Megabytes above the idle process, for ten million samples.
MEMORY_BOUND = 40.0
#: Milliseconds at the 99th percentile of which a stall of one second shows.
STALL_BOUND = 800.0
#: Per cent by which our p99 may be off that of the server's own log.
OFF_BOUND = 10.0
SAMPLES = 10_000_000
SHARE = 0.2
RUNS = 5
_CONNECTIONS = 16
_SECONDS = 4
_WARM_UP = 0.5


def measure(runs: int) -> tuple[Measured, ...]:
    """Send at a fifth of full speed, then do the same with h2load, in turn."""
    need(("h2load",))
    with nginx() as web:
        port = web.plain
        rate = SHARE * usual_rate(port, _CONNECTIONS)
        asked = {"port": port, "connections": 400, "rate": rate, "seconds": _SECONDS}
        asked["warm_up"] = _WARM_UP
        pairs = [(load(asked), _h2load(port, rate)) for _ in range(runs)]
        own_logs = [_beside_its_log() for _ in range(runs)]
        stalled = [_stalled(web) for _ in range(runs)]
    p99 = [(own["latency_ms"]["p99"], theirs) for own, theirs in pairs]
    late = tuple(own["lateness_ms"]["p99"] for own, _ in pairs)
    return (
        Measured(what="rate", unit="/s", values=tuple(o["rate"] for o, _ in pairs)),
        Measured(
            what="lateness, p99",
            unit="ms",
            values=late,
            bound=median_at_most(LATENESS_BOUND),
        ),
        Measured(what="latency, p99", unit="ms", values=tuple(o for o, _ in p99)),
        Measured(what="h2load's p99", unit="ms", values=tuple(t for _, t in p99)),
        Measured(
            what="p99 in those of h2load", unit="x", values=tuple(o / t for o, t in p99)
        ),
        Measured(
            what="p99 of an uneven server, off its own log",
            unit="%",
            values=tuple(abs(own / log - 1) * 100 for own, log in own_logs),
            bound=median_at_most(OFF_BOUND),
        ),
        Measured(
            what="sent of due, a server stalled for 1 s",
            unit="x",
            values=tuple(
                each["sent"] / (each["sent"] + each["dropped"]) for each in stalled
            ),
            bound=median_at_least(1.0),
        ),
        Measured(
            what="p99, a server stalled for 1 s",
            unit="ms",
            values=tuple(each["latency_ms"]["p99"] for each in stalled),
            bound=median_at_least(STALL_BOUND),
        ),
        Measured(
            what="memory of ten million samples",
            unit="MB",
            values=tuple(_memory() for _ in range(2)),
            bound=each_at_most(MEMORY_BOUND),
        ),
    )


def _beside_its_log() -> tuple[float, float]:
    """Our p99 and that of the server's own log, in milliseconds.

    The server answers after times of its own, so that there is something to tell.
    """
    command = on(SERVER, sys.executable, PROGRAMS / "uneven_server.py")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101 - asked for above
        port = int(process.stdout.readline())
        asked = {"port": port, "connections": 400, "rate": 500, "seconds": _SECONDS}
        result = load(asked)
        output, _ = process.communicate()
    return float(result["latency_ms"]["p99"]), float(output)


def _stalled(web: Web) -> dict[str, Any]:
    """A load of 300 requests a second to a server that stops for one second of four."""
    asked = {"port": web.plain, "connections": 400, "rate": 300, "seconds": _SECONDS}
    stop = threading.Timer(1.5, lambda: os.kill(web.pid, signal.SIGSTOP))
    go_on = threading.Timer(2.5, lambda: os.kill(web.pid, signal.SIGCONT))
    for each in (stop, go_on):
        each.start()
    try:
        return load(asked)
    finally:
        for each in (stop, go_on):
            each.join()


def _h2load(port: int, rate: float) -> float:
    """The 99th percentile in milliseconds of what h2load logs after the warm-up."""
    each = max(1, round(rate / _CONNECTIONS))
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        command = ("h2load", "--h1", "-t1", f"-c{_CONNECTIONS}", f"-D{_SECONDS}")
        options = (f"--rps={each}", f"--log-file={log}", f"http://127.0.0.1:{port}/")
        subprocess.run(on(CLIENT, *command, *options), capture_output=True, check=True)
        rows = [line.split("\t") for line in log.read_text().splitlines()]
    counted = min(int(row[0]) for row in rows) + _WARM_UP * 1e6
    micros = sorted(int(row[2]) for row in rows if int(row[0]) >= counted)
    return micros[int(0.99 * (len(micros) - 1))] / 1000


def _memory() -> float:
    """What ten million samples take above the idle process, in megabytes."""
    return float(run_program("samples", str(SAMPLES))["peak"])
