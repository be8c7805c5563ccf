"""An execution environment: one process that runs one invocation at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from rehearsal.data_plane import supervisor
from rehearsal.functions.function import (
    Function,
    Invocation,
    LogObserver,
    Outcome,
    Surroundings,
    error_outcome,
    variables,
)
from rehearsal.functions.runtime_api import RuntimeApi

MAX_LINE = 256 * 1024  # bytes; Lambda's own limit of a log line
LOOK = 0.2  # seconds between looks at a running function's memory
LAST_WORDS = 2.0  # seconds; what left the process group may keep its output open
MEGABYTE = 1024 * 1024


class Environment:
    """The real Lambda runtime client in a process of its own.

    Its output is read line by line. It is killed with the emulator, whatever ends it.

    Args:
        function: What to run.
        surroundings: Where it runs.
        on_log: Told of each line.
    """

    def __init__(
        self, function: Function, surroundings: Surroundings, on_log: LogObserver
    ) -> None:
        self._function = function
        self._surroundings = surroundings
        self._on_log = on_log
        self._api = RuntimeApi(surroundings.arn(function.name), function.timeout)
        self._lock = threading.Lock()
        self._pending: Invocation | None = None
        self._dead = threading.Event()
        self._ended = threading.Event()
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [
                sys.executable,
                "-I",
                "-S",
                str(Path(supervisor.__file__)),
                sys.executable,
                "-m",
                "awslambdaric",
                function.handler,
            ],
            cwd=function.path[0],
            env=variables(function, surroundings, self._api.address),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(
            target=self._read, name=f"lambda-{function.name}", daemon=True
        )
        self._reader.start()
        self._waiter = threading.Thread(
            target=self._end_together, name=f"lambda-{function.name}-end", daemon=True
        )
        self._waiter.start()

    @property
    def is_alive(self) -> bool:
        """Whether the process can take an invocation."""
        return not self._dead.is_set() and not self._ended.is_set()

    def run(self, invocation: Invocation) -> Outcome:
        """Run one invocation to its end; time-out and memory limit included."""
        self._pending = invocation
        self._api.hand(invocation)
        init_timeout, timeout = self._surroundings.init_timeout, self._function.timeout
        if not self._wait(invocation, invocation.taken, init_timeout):
            self._give_up(
                invocation, "Runtime.InitTimeout", f"Init timed out: {init_timeout:g} s"
            )
        if invocation.is_doomed:
            self._kill()
        if not self._wait(invocation, invocation.ended, timeout):
            self._give_up(
                invocation,
                "Sandbox.Timedout",
                f"Task timed out after {timeout:.2f} seconds",
            )
        assert invocation.outcome is not None  # noqa: S101 - ended above or by the API
        return invocation.outcome

    def close(self) -> None:
        """Kill the process, with its whole group, and let go of everything."""
        self._kill()
        self._waiter.join()
        self._reader.join(LAST_WORDS)
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._api.close()

    def _wait(
        self, invocation: Invocation, event: threading.Event, seconds: float
    ) -> bool:
        """Wait for an event of an invocation, which the process's end also is."""
        give_up = time.monotonic() + seconds
        while not event.wait(min(LOOK, max(0.0, give_up - time.monotonic()))):
            used = self._memory()
            if used > self._function.memory:
                self._tell(
                    invocation,
                    f"Error: used {used} MB of {self._function.memory} MB of memory",
                )
                self._kill()
            if self._ended.is_set():
                invocation.end(self._death(invocation))
            elif time.monotonic() >= give_up:
                return event.is_set()
        return True

    def _give_up(self, invocation: Invocation, kind: str, what: str) -> None:
        message = f"RequestId: {invocation.request_id} Error: {what}"
        invocation.end(error_outcome(kind, message, is_fatal=True))
        self._tell(invocation, what)

    def _tell(self, invocation: Invocation, what: str) -> None:
        """Write what Lambda itself has to say into the function's log."""
        text = f"{invocation.request_id} {what}"
        self._on_log(self._function.name, invocation.request_id, text)

    def _memory(self) -> int:
        """Megabytes of the function's processes, without the emulator's own."""
        try:
            children = psutil.Process(self._process.pid).children(recursive=True)
            return sum(each.memory_info().rss for each in children) // MEGABYTE
        except psutil.Error:
            return 0  # one of them has just ended; the next look tells

    def _kill(self) -> None:
        with self._lock:
            # Until it is waited for, the number is not given to another group.
            if self._process.returncode is None:
                os.killpg(self._process.pid, signal.SIGKILL)

    def _end_together(self) -> None:
        """Let nothing of the function live on when its first process has ended."""
        if hasattr(os, "waitid"):  # macOS has it from Python 3.13 on
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        else:
            self._process.wait()
        with suppress(ProcessLookupError, PermissionError):
            self._kill()
        with self._lock:
            self._process.wait()
        self._ended.set()

    def _death(self, invocation: Invocation) -> Outcome:
        if self._api.init_error:
            return self._api.init_error
        how = _exit(self._process.returncode)
        message = f"RequestId: {invocation.request_id} Error: Runtime exited {how}"
        return error_outcome("Runtime.ExitError", message, is_fatal=True)

    def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - Popen was given a PIPE
        with stdout:
            self._tell_lines(stdout)
        self._dead.set()

    def _tell_lines(self, stdout: IO[bytes]) -> None:
        while line := stdout.readline(MAX_LINE):
            current = self._api.current
            text = line.decode(errors="replace").rstrip("\r\n")
            self._on_log(
                self._function.name, current.request_id if current else None, text
            )


def _exit(code: int) -> str:
    """An exit code as Go tells it, in which Lambda's supervisor is written."""
    if code == 0:
        return "without providing a reason"
    if code > 0:
        return f"with error: exit status {code}"
    return f"with error: signal: {(signal.strsignal(-code) or str(code)).lower()}"
