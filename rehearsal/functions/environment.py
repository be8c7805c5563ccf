"""An execution environment: one process that runs one invocation at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from rehearsal.data_plane import lifeline
from rehearsal.functions.function import Function, LogObserver, Surroundings
from rehearsal.functions.invocation import Invocation, Outcome, error_outcome
from rehearsal.functions.runtime_api import RuntimeApi

MAX_LINE = 256 * 1024  # bytes; Lambda's own limit of a log line
VERSION = "$LATEST"


class Environment:
    """The real Lambda runtime client in a process of its own.

    Its output is read line by line. It is killed with the stage, whatever ends it.

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
        self._pending: Invocation | None = None
        self._dead = threading.Event()
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [
                sys.executable,
                "-I",
                "-S",
                str(Path(lifeline.__file__)),
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

    @property
    def is_alive(self) -> bool:
        """Whether the process can take an invocation."""
        return not self._dead.is_set() and self._process.poll() is None

    def run(self, invocation: Invocation) -> Outcome:
        """Run one invocation to its end, the function's time-out included."""
        self._pending = invocation
        self._api.hand(invocation)
        if self._dead.is_set():
            invocation.end(self._death())
        if not invocation.taken.wait(self._surroundings.init_timeout):
            message = f"Init timed out after {self._surroundings.init_timeout:g} s"
            invocation.end(error_outcome("Runtime.InitTimeout", message))
        elif not invocation.ended.wait(self._function.timeout):
            message = f"Task timed out after {self._function.timeout:.2f} seconds"
            text = f"{invocation.request_id} {message}"
            invocation.end(error_outcome("Sandbox.Timedout", text))
            self._on_log(self._function.name, invocation.request_id, text)
        assert invocation.outcome is not None  # noqa: S101 - ended above or by the API
        return invocation.outcome

    def close(self) -> None:
        """Kill the process, with its whole group, and let go of everything."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._api.close()

    def _death(self) -> Outcome:
        message = "Runtime exited before it answered"
        return self._api.init_error or error_outcome("Runtime.ExitError", message)

    def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - Popen was given a PIPE
        with stdout:
            self._tell_lines(stdout)
        self._dead.set()
        if self._pending is not None:
            self._pending.end(self._death())

    def _tell_lines(self, stdout: IO[bytes]) -> None:
        while line := stdout.readline(MAX_LINE):
            current = self._api.current
            text = line.decode(errors="replace").rstrip("\r\n")
            self._on_log(
                self._function.name, current.request_id if current else None, text
            )


def variables(
    function: Function, surroundings: Surroundings, api: str
) -> dict[str, str]:
    """The environment variables that Lambda sets, and nothing of the stage's own.

    Source: AWS Lambda developer guide, "Defined runtime environment variables".
    """
    today = datetime.now(tz=UTC).strftime("%Y/%m/%d")
    root = str(function.path[0])
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": ":".join(str(each) for each in function.path),
        "PYTHONUNBUFFERED": "1",
        "LAMBDA_TASK_ROOT": root,
        "AWS_ACCESS_KEY_ID": "rehearsal",
        "AWS_SECRET_ACCESS_KEY": "rehearsal",  # a dummy: nobody checks it
        "AWS_REGION": surroundings.region,
        "AWS_DEFAULT_REGION": surroundings.region,
        "AWS_ENDPOINT_URL": surroundings.endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        **function.environment,
        "_HANDLER": function.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python3.{sys.version_info.minor}",
        "AWS_LAMBDA_RUNTIME_API": api,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": VERSION,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{today}/[{VERSION}]{uuid.uuid4().hex}",
    }
