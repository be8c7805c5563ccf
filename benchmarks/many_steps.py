"""``many_steps``: a thousand http steps against one host, beside tavern's checks."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.account import ROOT
from benchmarks.figures import Measured, NotMeasured, median_at_most
from benchmarks.proxies import on
from benchmarks.web import CLIENT, nginx

STEPS = 1000
#: From start to exit, in times of tavern.
BOUND = 1 / 3
RUNS = 5
_PYTEST = ROOT / ".venv-bench" / "bin" / "pytest"


def measure(runs: int) -> tuple[Measured, ...]:
    """Check one address a thousand times with each, in turn, on one core.

    Raises:
        NotMeasured: tavern is not installed.
    """
    if not _PYTEST.exists():
        raise NotMeasured("tavern is not installed: run `make .venv-bench/ready`")
    with nginx() as web, tempfile.TemporaryDirectory() as name:
        plan, checks = Path(name, "plan.yaml"), Path(name, "test_all.tavern.yaml")
        plan.write_text(_plan())
        checks.write_text(_checks(web.plain))
        own = str(Path(sys.executable).with_name("hookgate"))
        url = f"http://127.0.0.1:{web.plain}"
        # The worst case of a thousand steps of ten seconds, eight at a time.
        run = [own, "run", "AfterAllowTestTraffic", "--plan", str(plan), "--url", url]
        run += ["--timeout", "30m"]
        tavern = [str(_PYTEST), "-q", "-p", "no:cacheprovider", str(checks)]
        pairs = [(_seconds(run, name), _seconds(tavern, name)) for _ in range(runs)]
    return (
        Measured(what="hookgate run", unit="s", values=tuple(o for o, _ in pairs)),
        Measured(what="tavern", unit="s", values=tuple(t for _, t in pairs)),
        Measured(
            what="in times of tavern",
            unit="x",
            values=tuple(own / theirs for own, theirs in pairs),
            bound=median_at_most(BOUND),
        ),
    )


def _seconds(command: list[str], folder: str) -> float:
    started = time.monotonic()
    subprocess.run(on(CLIENT, *command), cwd=folder, capture_output=True, check=True)
    return time.monotonic() - started


def _plan() -> str:
    """As many steps as a plan's bound of 10,000 keys and values leaves room for."""
    steps = "".join(
        f"    - {{use: http, name: check {number}, with: {{path: /}}}}\n"
        for number in range(STEPS)
    )
    return f"version: 1\nevents:\n  AfterAllowTestTraffic:\n{steps}"


def _checks(port: int) -> str:
    checks = "".join(
        f"  - name: check {number}\n    request: {{url: 'http://127.0.0.1:{port}/'}}\n"
        "    response: {status_code: 200}\n"
        for number in range(STEPS)
    )
    return f"test_name: all\nstages:\n{checks}"
