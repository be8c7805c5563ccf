"""A second process that reports Failed when this one can no longer.

A validator that hangs in C code can hold the interpreter's lock, and then no thread
of this process runs: not even the one that watches the clock. So a small process
waits beside it, and has the last word when time runs out or this process dies.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn, Protocol

from hookgate.context import Deployment
from hookgate.event import HookEvent
from hookgate.model import LifecycleEvent

#: Seconds that a report may take before the last word is spoken over it: most of the
#: reserve, and the rest is for the last word itself.
REPORTING = 14.0
_SCRIPT = Path(__file__).with_name("process.py")


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

    def damage(self) -> str:
        """What a validator did to this process; empty if nothing was noticed."""
        ...


class ProcessGuard:
    """Notices what a validator does to the process that it runs in.

    A process whose standard output or error was closed, whose pipe to the watchdog
    process was closed, or that was interrupted is not trusted any more.
    """

    def __init__(self, pipe: int | None) -> None:
        self._kept = {fd: os.dup(fd) for fd in (1, 2) if _identity(fd)}
        self._known = {
            fd: identity
            for fd in (*self._kept.values(), *((pipe,) if pipe else ()))
            if (identity := _identity(fd))
        }
        self._pipe = pipe
        self._interrupts = 0
        self._previous: Any = None
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._interrupted)

    def damage(self) -> str:
        """What was done, in words; standard output and error are restored."""
        closed = [self._restored(fd) for fd in self._kept]
        found = [
            *(f"file descriptor {fd}" for fd in closed if fd),
            *(["the pipe to the watchdog process"] if self.pipe_is_lost else []),
        ]
        what = [f"closed or replaced {', '.join(found)}"] if found else []
        if self._interrupts:
            what.append("interrupted this process (SIGINT)")
        if not what:
            return ""
        return f"a validator {' and '.join(what)}, so no finding is trusted"

    @property
    def pipe_is_lost(self) -> bool:
        """Whether the pipe's descriptor is no longer the pipe."""
        return self._pipe is not None and not self._is_same(self._pipe)

    def close(self) -> None:
        """Let go of what was kept; an interrupted process stays deaf to SIGINT."""
        for kept in self._kept.values():
            if self._is_same(kept):
                os.close(kept)
        if self._previous is not None and not self._interrupts:
            signal.signal(signal.SIGINT, self._previous)

    def _restored(self, fd: int) -> int:
        """Give ``fd`` its stream back; returns ``fd`` if it had another or none."""
        kept = self._kept[fd]
        identity = self._known.get(kept)
        if _identity(fd) == identity:
            return 0
        if _identity(kept) == identity:
            os.dup2(kept, fd)
        else:  # rather nowhere than into whatever has the number now
            nowhere = os.open(os.devnull, os.O_WRONLY)
            if nowhere != fd:
                os.dup2(nowhere, fd)
                os.close(nowhere)
        return fd

    def _is_same(self, fd: int) -> bool:
        return _identity(fd) == self._known.get(fd)

    def _interrupted(self, *_: object) -> None:
        self._interrupts += 1


def _identity(fd: int) -> tuple[int, int] | None:
    """Which open file a descriptor stands for, or None if it is closed."""
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Watchdog:
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
        self._guard: ProcessGuard | None = None
        self.damaged = False

    @contextlib.contextmanager
    def watch(
        self, hook: HookEvent, event: LifecycleEvent, seconds: float
    ) -> Iterator[Watch]:
        """Have Failed reported unless the block ends within ``seconds``.

        A block that raises ends the watch too: Lambda sees the exception, tries again,
        and its OnFailure destination makes the fallback report.
        """
        ids = hook.model_dump(by_alias=True)
        watch = {"ids": ids, "event": str(event), "path": sys.path}
        self._start()
        self._tell(f"watch {seconds}", watch)
        pipe = self._process.stdin if self._process else None
        self._guard = ProcessGuard(pipe.fileno() if pipe else None)
        try:
            yield self
        finally:
            self._tell("end")
            self._guard.close()
            self._guard = None

    def damage(self) -> str:
        """What a validator did to this process; empty if nothing was noticed."""
        found = self._guard.damage() if self._guard else ""
        self.damaged = self.damaged or bool(found)
        return found

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

    def exit(self) -> NoReturn:
        """End this process, which is not trusted, so that Lambda starts another.

        Where the pipe was closed, the watchdog process reports and publishes, too.
        """
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):  # a validator may have closed it
                self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(REPORTING)
        os._exit(1)

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
        if self._guard and self._guard.pipe_is_lost:
            return  # the watchdog process has seen the end of it, and reports Failed
        try:
            line = f"{word} {json.dumps(about, default=str)}\n"
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        except OSError as error:
            self._on_lost(f"nobody watches this pass any more: {error}")
            self.close()
