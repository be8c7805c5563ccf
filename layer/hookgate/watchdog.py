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
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from hookgate.context import Deployment
from hookgate.event import HookEvent
from hookgate.model import LifecycleEvent

#: Seconds that a report may take before the last word is spoken over it: most of the
#: reserve, and the rest is for the last word itself.
REPORTING = 14.0
_SCRIPT = Path(__file__).with_name("last_word.py")


class Watch(Protocol):
    """One pass under watch."""

    def note(self, doing: str) -> None:
        """Say what is being done, for the reason in case it never ends."""
        ...

    def identified(self, deployment: Deployment) -> None:
        """Say which deployment it is, for the metrics."""
        ...

    def due(self, seconds: float) -> None:
        """Say that the pass must end within ``seconds`` from now."""
        ...

    def reporting(self) -> None:
        """Say that the report is under way, which may need its retries."""
        ...


class LastWord:
    """The second process, started when first needed and kept between invocations.

    It must never keep the first one from reporting: when it cannot be started or
    reached, ``on_lost`` is told, and the pass goes on unwatched.
    """

    def __init__(
        self, on_lost: Callable[[str], None], python: str | None = None
    ) -> None:
        self._on_lost = on_lost
        self._python = python or sys.executable
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
        self._start()
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

    def due(self, seconds: float) -> None:
        """Say that the pass must end within ``seconds`` from now."""
        self._tell(f"due {seconds}")

    def reporting(self) -> None:
        """Say that the report is under way; two reports need not cross."""
        self.due(REPORTING)

    def close(self) -> None:
        """Let the second process go."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(OSError):
                process.communicate()

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        # -I and -S start in ten milliseconds; the path comes with the watch.
        command = [self._python, "-I", "-S", str(_SCRIPT)]
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own script
        except OSError as error:
            self._on_lost(f"nobody watches this pass: {error}")
        else:
            atexit.register(self.close)

    def _tell(self, word: str, about: object = None) -> None:
        """Write one line: a word, and JSON, which has no line break of its own."""
        if self._process is None or self._process.stdin is None:
            return
        try:
            line = f"{word} {json.dumps(about, default=str)}\n"
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        except OSError as error:
            self._on_lost(f"nobody watches this pass any more: {error}")
            self.close()
