"""Faults of API calls by functions or by CodeDeploy: throttled, denied, lost."""

from __future__ import annotations

import contextlib
import io
import json
import re
import socket
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from hookgate_rehearsal.clients import CODEDEPLOY_KEY
from hookgate_rehearsal.endpoint.protocols import Reply
from hookgate_rehearsal.faults.schema import CallFile, call_of

_CALLER = re.compile(
    rf"Credential=(?:function\.(?P<function>[^/]*)|{CODEDEPLOY_KEY})"
    r"/\d*/[^/]*/(?P<service>[^/]*)/"
)
_STATUS = {"throttled": 400, "denied": 403}
_CBOR_TEXT = 0x79  # a text whose length follows in two bytes
_CBOR_PAIRS = 0xA2  # a map of two pairs


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
        if gets in _STATUS:
            reply = _refusal(gets, function or CODEDEPLOY_KEY, call, environ)
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


def _refusal(gets: str, role: str, call: str, environ: dict[str, Any]) -> Reply:
    """AWS's error, in the protocol of the request."""
    message = "Rate exceeded"
    code = "Throttling"
    if gets == "denied":
        code = "AccessDenied"
        message = (
            f"User: arn:aws:sts::123456789012:assumed-role/{role}/{role} is "
            f"not authorized to perform: {call}"
        )
    if "HTTP_X_AMZ_TARGET" in environ:
        return _json(_STATUS[gets], f"{code}Exception", message)
    if environ["PATH_INFO"].startswith("/service/"):
        return _cbor(_STATUS[gets], f"{code}Exception", message)
    return _xml(_STATUS[gets], code, message)


def _json(status: int, code: str, message: str) -> Reply:
    body = json.dumps({"__type": code, "message": message}).encode()
    return _reply(status, body, {"Content-Type": "application/x-amz-json-1.1"})


def _xml(status: int, code: str, message: str) -> Reply:
    body = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
        f"<Message>{escape(message)}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return _reply(status, body.encode(), {"Content-Type": "text/xml"})


def _cbor(status: int, code: str, message: str) -> Reply:
    """CBOR (RFC 8949), which CloudWatch uses."""
    texts = ("__type", code, "message", message)
    body = bytes([_CBOR_PAIRS]) + b"".join(
        bytes([_CBOR_TEXT]) + len(each.encode()).to_bytes(2, "big") + each.encode()
        for each in texts
    )
    headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
    return _reply(status, body, headers)


def _reply(status: int, body: bytes, headers: dict[str, str]) -> Reply:
    length = {"Content-Length": str(len(body)), "x-amzn-RequestId": str(uuid.uuid4())}
    return Reply(status=status, body=body, headers={**headers, **length})
