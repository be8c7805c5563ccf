"""An execution environment: one process, its Runtime API, one invocation at a time.

Source: AWS Lambda developer guide, "Using the Lambda runtime API", 2018-06-01.
"""

from __future__ import annotations

import queue
import signal
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any

import psutil

from hookgate_rehearsal.data_plane.processes import ProcessGroup
from hookgate_rehearsal.functions.function import (
    FleetSettings,
    Function,
    Invocation,
    InvocationResult,
    LogObserver,
    error_result,
    variables,
)

MAX_LINE = 256 * 1024  # bytes; Lambda's own limit of a log line
LOOK = 0.2  # seconds between looks at a running function's memory
MEGABYTE = 1024 * 1024


class ExecutionEnvironment:
    """The real Lambda runtime client in its own process.

    Its output is read line by line. It is killed with the emulator, whatever ends it.

    Args:
        function: What to run.
        settings: Where it runs.
        on_log: Called with each line.
    """

    def __init__(
        self, function: Function, settings: FleetSettings, on_log: LogObserver
    ) -> None:
        self._function = function
        self._settings = settings
        self._on_log = on_log
        self._api = RuntimeApi(settings.arn(function.name), function.timeout)
        self._dead = threading.Event()
        self._process = ProcessGroup(
            [sys.executable, "-m", "awslambdaric", function.handler],
            self._read,
            name=f"lambda-{function.name}",
            env=variables(function, settings, self._api.address),
            cwd=function.path[0],
        )

    @property
    def is_alive(self) -> bool:
        """Whether the process can take an invocation."""
        return not self._dead.is_set() and not self._process.ended.is_set()

    def run(self, invocation: Invocation) -> InvocationResult:
        """Run one invocation to its end; time-out and memory limit included."""
        self._api.hand(invocation)
        init_timeout, timeout = self._settings.init_timeout, self._function.timeout
        if not self._wait(invocation, invocation.taken, init_timeout):
            self._give_up(
                invocation, "Runtime.InitTimeout", f"Init timed out: {init_timeout:g} s"
            )
        if invocation.kills_environment:
            self._process.signal(signal.SIGKILL)
        if not self._wait(invocation, invocation.ended, timeout):
            self._give_up(
                invocation,
                "Sandbox.Timedout",
                f"Task timed out after {timeout:.2f} seconds",
            )
        assert invocation.result is not None  # noqa: S101 - ended above or by the API
        return invocation.result

    def close(self) -> None:
        """Kill the process, with its whole group, and let go of everything."""
        self._process.kill()
        self._api.close()

    def _wait(
        self, invocation: Invocation, event: threading.Event, seconds: float
    ) -> bool:
        """Wait for an event of an invocation, which the process's end also is."""
        give_up = time.monotonic() + seconds
        while not event.wait(min(LOOK, max(0.0, give_up - time.monotonic()))):
            used = self._memory()
            if used > self._function.memory:
                self._log(
                    invocation,
                    f"Error: used {used} MB of {self._function.memory} MB of memory",
                )
                self._process.signal(signal.SIGKILL)
            if self._process.ended.is_set():
                invocation.end(self._death(invocation))
            elif time.monotonic() >= give_up:
                return event.is_set()
        return True

    def _give_up(self, invocation: Invocation, kind: str, what: str) -> None:
        message = f"RequestId: {invocation.request_id} Error: {what}"
        invocation.end(error_result(kind, message, is_fatal=True))
        self._log(invocation, what)

    def _log(self, invocation: Invocation, what: str) -> None:
        """Write a message of Lambda itself into the function's log."""
        text = f"{invocation.request_id} {what}"
        self._on_log(self._function.name, invocation.request_id, text)

    def _memory(self) -> int:
        """Megabytes of the function's processes, without the emulator's own."""
        try:
            children = psutil.Process(self._process.pid).children(recursive=True)
            return sum(each.memory_info().rss for each in children) // MEGABYTE
        except psutil.Error:
            return 0  # one of them has just ended; the next look finds it

    def _death(self, invocation: Invocation) -> InvocationResult:
        if self._api.init_error:
            return self._api.init_error
        how = _exit(self._process.exit_code or 0)
        message = f"RequestId: {invocation.request_id} Error: Runtime exited {how}"
        return error_result("Runtime.ExitError", message, is_fatal=True)

    def _read(self, output: IO[bytes]) -> None:
        with output:
            self._log_lines(output)
        self._dead.set()

    def _log_lines(self, stdout: IO[bytes]) -> None:
        while line := stdout.readline(MAX_LINE):
            current = self._api.current
            text = line.decode(errors="replace").rstrip("\r\n")
            self._on_log(
                self._function.name, current.request_id if current else None, text
            )


def _exit(code: int) -> str:
    """Describe an exit code as Lambda's supervisor does."""
    if code == 0:
        return "without providing a reason"
    if code > 0:
        return f"with error: exit status {code}"
    return f"with error: signal: {(signal.strsignal(-code) or str(code)).lower()}"


PREFIX = "/2018-06-01/runtime"
MAX_ANSWER = 6 * 1024 * 1024  # Lambda's own limit of a synchronous answer
CLOSED = None


class RuntimeApi:
    """Gives invocations to a runtime and gets its responses.

    Args:
        arn: The function's ARN, for the runtime.
        timeout: Seconds an invocation may take, for its deadline.
    """

    def __init__(self, arn: str, timeout: float) -> None:
        self.arn = arn
        self.timeout = timeout
        self.init_error: InvocationResult | None = None
        self.current: Invocation | None = None
        self._inbox: queue.Queue[Invocation | None] = queue.Queue()
        api = self

        class Handler(_Handler):
            runtime = api

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False  # so that close() waits for them
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="lambda-runtime-api",
            daemon=True,
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Host and port, as ``AWS_LAMBDA_RUNTIME_API`` wants it."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def hand(self, invocation: Invocation) -> None:
        """Give the next ``/next`` an invocation."""
        self._inbox.put(invocation)

    def close(self) -> None:
        """Close after the runtime's end; a waiting ``/next`` ends."""
        self._inbox.put(CLOSED)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self) -> Invocation | None:
        """Wait for the next invocation; None once closed."""
        invocation = self._inbox.get()
        if invocation is not CLOSED:
            self.current = invocation
            invocation.taken.set()
        return invocation

    def answered(self, request_id: str, result: InvocationResult) -> bool:
        """Accept a response; False if it is not for the current invocation."""
        current = self.current
        if (
            current is None
            or current.kills_environment
            or current.request_id != request_id
        ):
            return False
        current.end(result)
        return True


class _Server(ThreadingHTTPServer):
    """Ignores the connection errors of a killed runtime."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log other errors."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """The HTTP side; each request of the runtime has a thread of its own."""

    runtime: RuntimeApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """``/invocation/next``: wait for work."""
        if self.path != f"{PREFIX}/invocation/next":
            self._answer(404, b"{}")
            return
        invocation = self.runtime.take()
        if invocation is None:
            self.close_connection = True
            return
        if invocation.kills_environment:
            # The function never sees the event: how far it got would be chance, and a
            # death at work costs the next attempt the time of the whole first one.
            invocation.ended.wait(self.runtime.timeout)
            self.close_connection = True
            return
        deadline = time.time() + self.runtime.timeout
        self._answer(
            200,
            invocation.payload,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": self.runtime.arn,
                "Lambda-Runtime-Trace-Id": f"Root=1-{uuid.uuid4().hex};Sampled=0",
            },
        )

    def do_POST(self) -> None:
        """``/invocation/<id>/response``, ``…/error`` and ``/init/error``."""
        length = min(int(self.headers.get("Content-Length") or 0), MAX_ANSWER + 1)
        body = self.rfile.read(length)
        parts = self.path.removeprefix(PREFIX).strip("/").split("/")
        match parts:
            case ["init", "error"]:
                self.runtime.init_error = InvocationResult(payload=body, is_error=True)
                self._answer(202, b"{}")
            case ["invocation", request_id, ("response" | "error") as kind]:
                result = InvocationResult(payload=body, is_error=kind == "error")
                if len(body) > MAX_ANSWER:
                    message = f"the answer is longer than {MAX_ANSWER} bytes"
                    result = error_result("Function.ResponseSizeTooLarge", message)
                is_current = self.runtime.answered(request_id, result)
                self._answer(202 if is_current else 400, b'{"status":"OK"}')
            case _:
                self._answer(404, b"{}")

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Write nothing: the emulator has its own log."""
