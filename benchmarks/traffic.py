"""``traffic``: requests a second on one core, beside the load generators people use.

Each run goes through all of them against the same nginx on the other core, so that a
busy machine is busy for all; ratios are formed within a run.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.account import PROGRAMS, ROOT
from benchmarks.figures import Measured, NotMeasured, median_at_least
from benchmarks.program import run_program
from benchmarks.proxies import need, on
from benchmarks.web import CLIENT, nginx

#: How many times the rate of another program: at least.
BOUNDS = {"hey": 1.2, "wrk": 0.5, "locust": 4.0}
CONNECTIONS = (16, 64)
RUNS = 5
_SECONDS = 3
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_H2LOAD = re.compile(r"finished in .*?, ([\d.]+) req/s")
_LOCUST = ROOT / ".venv-bench" / "bin" / "locust"

Rate = Callable[[int], float]


def measure(runs: int) -> tuple[Measured, ...]:
    """Load nginx at full speed over 16 and 64 connections, with each in turn.

    Raises:
        NotMeasured: a program is not installed.
    """
    need(("wrk", "hey", "h2load"))
    if not _LOCUST.exists():
        raise NotMeasured("locust is not installed: run `make .venv-bench/ready`")
    measured: list[Measured] = []
    with nginx() as web:
        for connections in CONNECTIONS:
            ways = _ways(web.plain, web.tls, web.authority)
            rates: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(runs):
                for name, rate in ways.items():
                    rates[name].append(rate(connections))
            measured += _measured(connections, rates)
    return tuple(measured)


def _ways(plain: int, tls: int, authority: Path) -> Mapping[str, Rate]:
    url, safe = f"http://127.0.0.1:{plain}/", f"https://127.0.0.1:{tls}/"
    own = {"scheme": "https", "verify": str(authority)}
    return {
        "Hookgate": lambda n: full_speed(plain, n),
        "wrk": lambda n: _matched(_RATE, "wrk", "-t1", f"-c{n}", f"-d{_SECONDS}s", url),
        "hey": lambda n: _matched(
            _RATE, "hey", "-z", f"{_SECONDS}s", "-c", str(n), url
        ),
        "locust": lambda n: _locust(url, n),
        "Hookgate, TLS": lambda n: full_speed(tls, n, **own),
        "h2load, TLS": lambda n: _h2load(safe, n, "--h1"),
        "Hookgate, HTTP/2": lambda n: full_speed(tls, n, **own, http_version="2"),
        "h2load, HTTP/2": lambda n: _h2load(safe, 1, f"-m{n}"),
    }


def full_speed(port: int, connections: int, **more: Any) -> float:
    """Our own requests a second, one after the other on each connection.

    Raises:
        RuntimeError: a request failed.
    """
    options = {"port": port, "connections": connections, "closed": True, "rate": 1.0}
    results = load({**options, "seconds": float(_SECONDS), **more})
    return float(results["rate"])


def load(options: Mapping[str, Any]) -> dict[str, Any]:
    """Send a load from a process of its own, on the client's core.

    Raises:
        RuntimeError: a request failed.
    """
    results = run_program("load", json.dumps(options), core=CLIENT)
    if results["failed"]:
        raise RuntimeError(f"requests failed, so nothing was measured: {results}")
    return results


def _locust(url: str, users: int) -> float:
    command = [str(_LOCUST), "-f", str(PROGRAMS / "locust_user.py"), "--headless"]
    options = [
        "-u",
        str(users),
        "-r",
        str(users),
        "-t",
        f"{_SECONDS}s",
        "-H",
        url.rstrip("/"),
    ]
    output = _output(*command, *options, "--only-summary", "--json")
    (entry,) = json.loads(output[output.index("[") :])
    if entry["num_failures"]:
        raise RuntimeError(f"requests failed, so nothing was measured: {entry}")
    seconds = entry["last_request_timestamp"] - entry["start_time"]
    return float(entry["num_requests"]) / float(seconds)


def _h2load(url: str, connections: int, *options: str) -> float:
    command = ("h2load", "-t1", f"-c{connections}", f"-D{_SECONDS}", *options, url)
    return _matched(_H2LOAD, *command)


def _matched(pattern: re.Pattern[str], *command: str) -> float:
    output = _output(*command, environ={**os.environ, "GOMAXPROCS": "1"})
    found = pattern.search(output)
    if found is None or re.search(r"Socket errors|Non-2xx|Error distribution", output):
        raise RuntimeError(f"requests failed, so nothing was measured:\n{output}")
    return float(found[1])


def _output(*command: str, environ: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        on(CLIENT, *command), env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout


def _measured(connections: int, rates: Mapping[str, list[float]]) -> list[Measured]:
    at = f"{connections} connections"
    absolute = [
        Measured(what=f"{name}, {at}", unit="/s", values=tuple(values))
        for name, values in rates.items()
    ]
    pairs = [("Hookgate", name) for name in BOUNDS]
    pairs += [(f"Hookgate, {w}", f"h2load, {w}") for w in ("TLS", "HTTP/2")]
    ratios = [
        Measured(
            what=f"{ours} in rates of {theirs}, {at}",
            unit="x",
            values=tuple(
                one / other
                for one, other in zip(rates[ours], rates[theirs], strict=True)
            ),
            bound=median_at_least(BOUNDS[theirs]) if theirs in BOUNDS else None,
        )
        for ours, theirs in pairs
    ]
    return [*absolute, *ratios]


def usual_rate(port: int, connections: int) -> float:
    """Our own requests a second at full speed, the median of three."""
    return statistics.median(full_speed(port, connections) for _ in range(3))
