"""``cold_start``: the CPU of the first event, beside that of two other handlers.

The bare one is the least that a hook can be. The minimum is the least that the design
allows: its packages and its calls, and nothing of Hookgate (see decision 0009). The
shipped one reads a plan with one step, and the same with an assertion.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.account import BARE, EXPECTING, HOOK, MINIMUM, PROGRAMS, account
from benchmarks.figures import Measured, median_at_most

#: The maximum ratio to the minimum's CPU.
BOUND = 1.3
RUNS = 15


def measure(runs: int) -> tuple[Measured, ...]:
    """Start the handlers in turn, so that a busy machine is busy for all."""
    with (
        account() as account_environ,
        account(EXPECTING) as expecting,
        tempfile.TemporaryDirectory() as folder,
    ):
        calls = str(Path(folder, "calls.json"))
        environ = {**account_environ, "HOOKGATE_BENCH_CALLS": calls}
        recorder = [sys.executable, str(PROGRAMS / "record_calls.py"), HOOK, calls]
        subprocess.run(recorder, env=environ, stdout=subprocess.DEVNULL, check=True)
        handlers = (
            (BARE, environ),
            (MINIMUM, environ),
            (MINIMUM, {**environ, "HOOKGATE_BENCH_CLIENT": "libcurl"}),
            (HOOK, environ),
            (HOOK, expecting),
        )
        for each in handlers:  # fills the page cache, and writes bytecode
            cpu_seconds(*each)
        rounds = [tuple(cpu_seconds(*each) for each in handlers) for _ in range(runs)]
    bare, minimum, curl_minimum, hook, more = zip(*rounds, strict=True)
    return (
        _milliseconds("CPU of a bare handler", bare),
        _milliseconds("CPU of the minimum", minimum),
        _milliseconds("CPU of the shipped handler", hook),
        _ratio("the minimum, in bare handlers", minimum, bare),
        _ratio("shipped, in bare handlers", hook, bare),
        _ratio("shipped, in minimum handlers", hook, minimum, bound=BOUND),
        _ratio("... with an assertion", more, minimum, bound=BOUND),
        _ratio("... in minimum handlers that ask by libcurl", hook, curl_minimum),
    )


def _milliseconds(what: str, seconds: tuple[float, ...]) -> Measured:
    return Measured(what=what, unit="ms", values=tuple(1000 * each for each in seconds))


def _ratio(
    what: str,
    one: tuple[float, ...],
    other: tuple[float, ...],
    bound: float | None = None,
) -> Measured:
    """Round by round."""
    return Measured(
        what=what,
        unit="x",
        values=tuple(a / b for a, b in zip(one, other, strict=True)),
        bound=median_at_most(bound) if bound else None,
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
