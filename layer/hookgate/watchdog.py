"""A second process that reports Failed when this one can no longer.

A validator that hangs in C code can hold the interpreter's lock, and then no thread
of this process runs: not even the one that watches the clock. So a small process
waits beside it, and has the last word when time runs out or this process dies.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from hookgate.context import Deployment
from hookgate.event import HookEvent
from hookgate.model import LifecycleEvent

_SCRIPT = Path(__file__).with_name("last_word.py")


class Watch(Protocol):
    """One pass under watch."""

    def note(self, doing: str) -> None:
        """Say what is being done, for the reason in case it never ends."""
        ...

    def identified(self, deployment: Deployment) -> None:
        """Say which deployment it is, for the metrics."""
        ...


class LastWord:
    """The second process, started when first needed and kept between invocations."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @contextlib.contextmanager
    def watch(
        self, hook: HookEvent, event: LifecycleEvent, seconds: float
    ) -> Iterator[Watch]:
        """Have Failed reported unless the block ends within ``seconds``.

        A block that raises ends the watch too: Lambda sees the exception, tries again,
        and its OnFailure destination makes the last report.
        """
        ids = hook.model_dump(by_alias=True)
        watch = {"ids": ids, "event": str(event), "path": sys.path}
        self._tell(f"watch {seconds}", watch)
        try:
            yield self
        finally:
            self._tell("end")

    def note(self, doing: str) -> None:
        """Say what is being done."""
        self._tell("note", doing)

    def identified(self, deployment: Deployment) -> None:
        """Say which deployment it is."""
        self._tell("deployment", asdict(deployment))

    def close(self) -> None:
        """Let the second process go."""
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def _tell(self, word: str, about: object = None) -> None:
        """Write one line: a word, and JSON, which has no line break of its own."""
        process = self._alive()
        assert process.stdin is not None  # noqa: S101 - asked for in Popen below
        process.stdin.write(f"{word} {json.dumps(about, default=str)}\n".encode())
        process.stdin.flush()

    def _alive(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            # -I and -S start in ten milliseconds; the path comes with the first watch.
            command = [sys.executable, "-I", "-S", str(_SCRIPT)]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own script
            atexit.register(self.close)
        return self._process
