"""Tasks as processes of this machine, which end with the emulator."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from hookgate_rehearsal.data_plane.settings import Target

#: How much of a task's output is kept, in bytes.
OUTPUT_KEPT = 64 * 1024
#: How long output is still read after the task has ended, in seconds.
_OUTPUT_TIMEOUT = 2.0
_SUPERVISOR = Path(__file__).with_name("supervisor.py")


class TaskProcess:
    """A running task: a command with a port of its own, in ``PORT``.

    The task and its children are a process group, which ends when the emulator ends for
    any reason; see ``supervisor``. Use :meth:`start`.

    The port was free at the start. Another program may take it before the task does;
    the task then fails, and the emulator starts another, as ECS does.
    """

    def __init__(self, process: subprocess.Popen[bytes], target: Target) -> None:
        self.target = target
        self._process = process
        self._output = bytearray()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._reading = threading.Thread(
            target=self._read, name=f"task-{target.port}-output", daemon=True
        )
        self._waiting = threading.Thread(
            target=self._wait, name=f"task-{target.port}", daemon=True
        )

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        host: str = "127.0.0.1",
    ) -> Self:
        """Start a task.

        Args:
            command: the program and its arguments, without a shell.
            env: the whole environment; ``PORT`` and ``HOST`` are added. ``None`` is the
                emulator's own.
            cwd: the directory to start in.
            host: the address that the task listens at.

        Raises:
            ValueError: the command is empty.
            OSError: the directory does not exist, or no process can be started. A
                program that does not exist is exit code 127, as in a container.
        """
        if not command:
            raise ValueError("a task's command is empty; name a program")
        target = Target(id=host, port=free_port(host))
        own = {"PORT": str(target.port), "HOST": host}
        process = subprocess.Popen(  # noqa: S603 - the command of the scenario
            [sys.executable, "-I", "-S", str(_SUPERVISOR), *command],
            env={**(os.environ if env is None else env), **own},
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        task = cls(process, target)
        task._reading.start()
        task._waiting.start()
        return task

    @property
    def port(self) -> int:
        """The port the task was given."""
        return self.target.port

    @property
    def pid(self) -> int:
        """The id of the task's process group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, -N for signal N; ``None`` while the task runs."""
        return self._process.returncode if self._ended.is_set() else None

    @property
    def output(self) -> str:
        """The last 64 KiB of what the task wrote, standard error included."""
        with self._lock:
            return self._output.decode("utf-8", errors="replace")

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait up to ``timeout`` seconds for the end.

        Returns:
            The exit code, or ``None`` if the task is still running.
        """
        self._ended.wait(timeout)
        return self.exit_code

    def stop(self, grace: float = 30.0) -> int:
        """Send SIGTERM, and kill the task and its children after ``grace`` seconds.

        Returns:
            The exit code.
        """
        self._signal(signal.SIGTERM)
        if self.wait(grace) is None:
            self._signal(signal.SIGKILL)
        self._waiting.join()
        return self._process.returncode

    def _signal(self, signum: int) -> None:
        with self._lock:
            # Until the process is waited for, no other group gets its id.
            if self._process.returncode is None:
                os.killpg(self._process.pid, signum)

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - Popen was given a PIPE
        with self._process.stdout as pipe:
            while data := os.read(pipe.fileno(), 65536):
                with self._lock:
                    self._output += data
                    del self._output[:-OUTPUT_KEPT]

    def _wait(self) -> None:
        pid = self._process.pid
        if hasattr(os, "waitid"):  # macOS has it from Python 3.13 on
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        else:
            self._process.wait()
        # As a container ends with its first process, so do the task's children.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        self._reading.join(_OUTPUT_TIMEOUT)
        with self._lock:
            self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        with self._lock:
            self._ended.set()


def free_port(host: str = "127.0.0.1") -> int:
    """A free port, chosen by the kernel."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
