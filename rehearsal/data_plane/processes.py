"""Tasks as processes of this machine, which end with the emulator."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from hookgate_rehearsal.data_plane import supervisor
from hookgate_rehearsal.data_plane.settings import Target

#: How much of a task's output is kept, in bytes.
OUTPUT_KEPT = 64 * 1024
#: How long output is still read after the end, in seconds: a process that has left
#: the group can keep it open.
_OUTPUT_TIMEOUT = 2.0


class ProcessGroup:
    """A command and its children, which end with its first process or the emulator.

    They are a process group, which ends when the emulator ends for any reason; see
    ``supervisor``.

    Args:
        command: the program and its arguments, without a shell.
        read: reads the output, standard error included, in a thread of its own.
        name: the name of its threads.
        env: the whole environment.
        cwd: the directory to start in.

    Raises:
        OSError: the directory does not exist, or no process can be started. A program
            that does not exist is exit code 127, as in a container.
    """

    def __init__(
        self,
        command: Sequence[str],
        read: Callable[[IO[bytes]], None],
        *,
        name: str,
        env: Mapping[str, str],
        cwd: str | Path | None,
    ) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - the caller's own command
            [sys.executable, "-I", "-S", supervisor.__file__, *command],
            env=env,
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._reading = threading.Thread(
            target=read,
            args=(self._process.stdout,),
            name=f"{name}-output",
            daemon=True,
        )
        self._waiting = threading.Thread(target=self._wait, name=name, daemon=True)
        self._reading.start()
        self._waiting.start()

    @property
    def pid(self) -> int:
        """The id of the process group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, -N for signal N; ``None`` until the group has ended."""
        return self._process.returncode if self.ended.is_set() else None

    def signal(self, signum: int) -> None:
        """Send a signal to the whole group, unless it has ended."""
        with self._lock:
            # Until the process is waited for, no other group gets its id.
            if self._process.returncode is None:
                os.killpg(self._process.pid, signum)

    def kill(self) -> int:
        """Kill the group, wait for its end, and return the exit code."""
        self.signal(signal.SIGKILL)
        self._waiting.join()
        return self._process.returncode

    def _wait(self) -> None:
        pid = self._process.pid
        if hasattr(os, "waitid"):  # macOS has it from Python 3.13 on
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        else:
            self._process.wait()
        # As a container ends with its first process, so do its children.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        self._reading.join(_OUTPUT_TIMEOUT)
        with self._lock:
            self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        self.ended.set()


class TaskProcess(ProcessGroup):
    """A running task: a command with a port of its own, in ``PORT``.

    The port was free at the start. Another program may take it before the task does;
    the task then fails, and the emulator starts another, as ECS does.

    Args:
        command: the program and its arguments, without a shell.
        env: the whole environment; ``PORT`` and ``HOST`` are added. ``None`` is the
            emulator's own.
        cwd: the directory to start in.
        host: the address that the task listens at.

    Raises:
        ValueError: the command is empty.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        if not command:
            raise ValueError("a task's command is empty; name a program")
        self.target = Target(id=host, port=free_port(host))
        self._output = bytearray()
        self._output_lock = threading.Lock()
        own = {"PORT": str(self.target.port), "HOST": host}
        super().__init__(
            command,
            self._keep_output,
            name=f"task-{self.target.port}",
            env={**(os.environ if env is None else env), **own},
            cwd=cwd,
        )

    @property
    def port(self) -> int:
        """The port the task was given."""
        return self.target.port

    @property
    def output(self) -> str:
        """The last 64 KiB of what the task wrote, standard error included."""
        with self._output_lock:
            return self._output.decode("utf-8", errors="replace")

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait up to ``timeout`` seconds for the end.

        Returns:
            The exit code, or ``None`` if the task is still running.
        """
        self.ended.wait(timeout)
        return self.exit_code

    def stop(self, grace: float = 30.0) -> int:
        """Send SIGTERM, and kill the task and its children after ``grace`` seconds.

        Returns:
            The exit code.
        """
        self.signal(signal.SIGTERM)
        self.ended.wait(grace)
        return self.kill()

    def _keep_output(self, pipe: IO[bytes]) -> None:
        with pipe:
            while data := os.read(pipe.fileno(), 65536):
                with self._output_lock:
                    self._output += data
                    del self._output[:-OUTPUT_KEPT]


def free_port(host: str = "127.0.0.1") -> int:
    """A free port, chosen by the kernel."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
