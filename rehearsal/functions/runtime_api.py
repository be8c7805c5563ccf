"""The Lambda Runtime API for one execution environment.

Source: AWS Lambda developer guide, "Using the Lambda runtime API", 2018-06-01.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rehearsal.functions.function import Invocation, Outcome, error_outcome

PREFIX = "/2018-06-01/runtime"
MAX_ANSWER = 6 * 1024 * 1024  # Lambda's own limit of a synchronous answer
CLOSED = None


class RuntimeApi:
    """Hands invocations to a runtime and takes its answers.

    Args:
        arn: The function's ARN, as the runtime is told.
        timeout: Seconds an invocation may take, for its deadline.
    """

    def __init__(self, arn: str, timeout: float) -> None:
        self.arn = arn
        self.timeout = timeout
        self.ready = threading.Event()
        self.init_error: Outcome | None = None
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
        """Answer nobody any more, once the runtime is dead; ``/next`` is let go."""
        self._inbox.put(CLOSED)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self) -> Invocation | None:
        """Wait for the next invocation; None once closed."""
        self.ready.set()
        invocation = self._inbox.get()
        if invocation is not CLOSED:
            self.current = invocation
            invocation.taken.set()
        return invocation

    def answered(self, request_id: str, outcome: Outcome) -> bool:
        """Take an answer; False if nobody waits for it.

        It may be for another request than the current, or from a runtime that is as
        good as dead.
        """
        current = self.current
        if current is None or current.is_doomed or current.request_id != request_id:
            return False
        current.end(outcome)
        return True


class _Server(ThreadingHTTPServer):
    """Says nothing of a runtime that is killed while it is spoken to."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of accidents only."""
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
        if invocation.is_doomed:
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
                self.runtime.init_error = Outcome(payload=body, is_error=True)
                self._answer(202, b"{}")
            case ["invocation", request_id, ("response" | "error") as kind]:
                outcome = Outcome(payload=body, is_error=kind == "error")
                if len(body) > MAX_ANSWER:
                    message = f"the answer is longer than {MAX_ANSWER} bytes"
                    outcome = error_outcome("Function.ResponseSizeTooLarge", message)
                is_current = self.runtime.answered(request_id, outcome)
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
