"""``listener``: what a listener carries on one core, and what it adds to a request.

Beside it nginx and haproxy, as proxies to the same upstream on the same core.
"""

from __future__ import annotations

import csv
import re
import statistics
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks.figures import Measured, median_at_least, median_at_most
from benchmarks.proxies import PACKAGES, need, on, proxies

#: Requests per second that a listener carries at least.
BOUND = 3000.0
#: Milliseconds that it may add to a request at the median.
ADDED_BOUND = 2.0
RATE = 500
RUNS = 3

_OURS, _DIRECT = "Hookgate", "no proxy"
_SECONDS = 4
_CONNECTIONS = 10
_CARRIED = re.compile(r"^Requests/sec:\s+([\d.]+)$", re.MULTILINE)
_WRONG = re.compile(r"Socket errors|Non-2xx")


def measure(runs: int) -> tuple[Measured, ...]:
    """Ask each proxy in turn, run by run, so that a busy machine is busy for all.

    Raises:
        NotMeasured: a program is not installed.
    """
    need(tuple(PACKAGES))
    with tempfile.TemporaryDirectory() as folder, proxies(Path(folder)) as ports:
        carried: dict[str, list[float]] = {name: [] for name in ports}
        taken: dict[str, list[float]] = {name: [] for name in ports}
        for _ in range(runs):
            for name, port in ports.items():
                carried[name].append(_carried(port))
                taken[name].append(_taken(port))
    others = [name for name in ports if name != _DIRECT]
    return (
        *(_throughput(name, carried[name]) for name in others),
        *(_latency(name, taken[name], taken[_DIRECT]) for name in others),
    )


def _throughput(name: str, carried: Iterable[float]) -> Measured:
    return Measured(
        what=f"{name}: carried on one core",
        unit="requests/s",
        values=tuple(carried),
        bound=median_at_least(BOUND) if name == _OURS else None,
    )


def _latency(name: str, taken: Iterable[float], without: Iterable[float]) -> Measured:
    return Measured(
        what=f"{name}: added at {RATE} requests/s, medians",
        unit="ms",
        values=tuple(each - bare for each, bare in zip(taken, without, strict=True)),
        bound=median_at_most(ADDED_BOUND) if name == _OURS else None,
    )


def _carried(port: int) -> float:
    """Requests per second, at full speed over kept connections."""
    options = ("-t1", "-c32", f"-d{_SECONDS}s")
    output = _output("wrk", *options, f"http://127.0.0.1:{port}/")
    found = _CARRIED.search(output)
    if found is None or _WRONG.search(output):
        raise RuntimeError(f"requests failed, so nothing was measured:\n{output}")
    return float(found[1])


def _taken(port: int) -> float:
    """Milliseconds of a request at the median, at a steady rate."""
    options = ("-z", f"{_SECONDS}s", "-c", _CONNECTIONS, "-q", RATE // _CONNECTIONS)
    output = _output("hey", *options, "-o", "csv", f"http://127.0.0.1:{port}/")
    rows = list(csv.DictReader(output.splitlines()))
    if not rows or {row["status-code"] for row in rows} != {"200"}:
        raise RuntimeError(f"requests failed, so nothing was measured:\n{output[:500]}")
    return statistics.median(float(row["response-time"]) for row in rows) * 1000


def _output(*command: object) -> str:
    done = subprocess.run(on(1, *command), capture_output=True, text=True, check=True)
    return done.stdout
