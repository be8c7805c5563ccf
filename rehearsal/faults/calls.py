"""Faults of API calls by functions or by CodeDeploy: throttled, denied, lost."""

from __future__ import annotations

import contextlib
import io
import re
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from hookgate_rehearsal.endpoint.protocols import Refusal, refusal
from hookgate_rehearsal.faults.schema import CallFile, call_of

#: The key ids of ``AccessKey``.
_CALLER = re.compile(
    r"Credential=[^/.]*\.(?:function\.(?P<function>[^/]*)|codedeploy)"
    r"/\d*/[^/]*/(?P<service>[^/]*)/"
)


@dataclass(slots=True, kw_only=True)
class CallFault:
    """A fault of one operation.

    Args:
        fault: the scenario's fault.
        function: the function whose calls it affects; None for all functions.
    """

    fault: CallFile
    function: str | None = None
    calls: int = field(default=0, init=False)

    def affects(self, function: str | None, call: str) -> bool:
        """Whether it affects this call; each call counts.

        Args:
            function: the function that calls; None for CodeDeploy.
            call: the operation.
        """
        by = "codedeploy" if function is None else "hooks"
        if self.function not in {None, function}:
            return False
        if (by, call) != (self.fault.by, self.fault.call):
            return False
        self.calls += 1
        return self.fault.times is None or self.calls <= self.fault.times


class FaultyCalls:
    """WSGI middleware of the endpoint that applies the faults of calls.

    Args:
        application: the WSGI application.
        faults: returns the active faults.
    """

    def __init__(
        self, application: Any, faults: Callable[[], Iterable[CallFault]]
    ) -> None:
        self._application = application
        self._faults = faults
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Respond as the application does, or apply a fault."""
        caller = _CALLER.search(environ.get("HTTP_AUTHORIZATION", ""))
        active = tuple(self._faults()) if caller else ()
        if not caller or not active:
            return self._application(environ, start_response)
        call = call_of(caller["service"], environ, _body(environ))
        with self._lock:
            function = caller["function"]
            fault = next((e for e in active if e.affects(function, call)), None)
        if fault is None:
            return self._application(environ, start_response)
        gets = fault.fault.gets
        if gets in {"throttled", "denied"}:
            reply = refusal(environ, _refused(gets, function or "codedeploy", call))
            start_response(f"{reply.status} Refused", list(reply.headers.items()))
            return [reply.body]
        if gets == "answer_lost":
            b"".join(self._application(environ, lambda *_: None))
        with contextlib.suppress(OSError):
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        start_response("500 Lost", [])  # the connection is closed
        return []


def _body(environ: dict[str, Any]) -> bytes:
    """The request's body; the application can read it again."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _refused(gets: str, role: str, call: str) -> Refusal:
    """AWS's error for a call that is throttled or denied."""
    if gets == "throttled":
        return Refusal(code="Throttling", message="Rate exceeded", status=400)
    message = (
        f"User: arn:aws:sts::123456789012:assumed-role/{role}/{role} is "
        f"not authorized to perform: {call}"
    )
    return Refusal(code="AccessDenied", message=message, status=403)
