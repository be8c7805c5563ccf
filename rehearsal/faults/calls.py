"""Calls of functions or of CodeDeploy that are throttled, denied or lost on the way."""

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

from rehearsal.clients import CODEDEPLOY_KEY
from rehearsal.endpoint.json_service import Reply
from rehearsal.faults.schema import CallFile, call_of

_CALLER = re.compile(
    rf"Credential=(?:function\.(?P<function>[^/]*)|{CODEDEPLOY_KEY})"
    r"/\d*/[^/]*/(?P<service>[^/]*)/"
)
_STATUS = {"throttled": 400, "denied": 403}
_CBOR_TEXT = 0x79  # a text whose length follows in two bytes
_CBOR_PAIRS = 0xA2  # a map of two pairs


@dataclass(slots=True, kw_only=True)
class CallFault:
    """One fault of one call.

    Args:
        ordered: what the scenario says.
        function: the function whose calls meet it; None for every function's.
    """

    ordered: CallFile
    function: str | None = None
    met: int = field(default=0, init=False)

    def befalls(self, function: str | None, call: str) -> bool:
        """Whether a call meets it; one that may strike so often counts.

        Args:
            function: who calls; None for CodeDeploy itself.
            call: the operation.
        """
        times, by = self.ordered.times, "codedeploy" if function is None else "hooks"
        if self.function not in {None, function}:
            return False
        if (by, call) != (self.ordered.by, self.ordered.call):
            return False
        self.met += 1
        return times is None or self.met <= times


class FaultyCalls:
    """Stands before the endpoint's application; others' calls pass by.

    Args:
        application: the WSGI application behind.
        faults: tells which faults are in force.
    """

    def __init__(
        self, application: Any, faults: Callable[[], Iterable[CallFault]]
    ) -> None:
        self._application = application
        self._faults = faults
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer as WSGI does, or not at all."""
        caller = _CALLER.search(environ.get("HTTP_AUTHORIZATION", ""))
        in_force = tuple(self._faults()) if caller else ()
        if not caller or not in_force:
            return self._application(environ, start_response)
        call = call_of(caller["service"], environ, _body(environ))
        with self._lock:
            fault = next(
                (each for each in in_force if each.befalls(caller["function"], call)),
                None,
            )
        if fault is None:
            return self._application(environ, start_response)
        who = caller["function"] or CODEDEPLOY_KEY
        return self._meet(fault, who, call, environ, start_response)

    def _meet(
        self,
        fault: CallFault,
        who: str,
        call: str,
        environ: dict[str, Any],
        start_response: Any,
    ) -> Iterable[bytes]:
        how = fault.ordered.gets
        if how in _STATUS:
            reply = _refusal(how, who, call, environ)
            start_response(f"{reply.status} Refused", list(reply.headers.items()))
            return [reply.body]
        if how == "answer_lost":
            b"".join(self._application(environ, lambda *_: None))
        with contextlib.suppress(OSError):
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        start_response("500 Lost", [])  # nobody is there to read it
        return []


def _body(environ: dict[str, Any]) -> bytes:
    """The request's body, which the application may then read again."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _refusal(how: str, who: str, call: str, environ: dict[str, Any]) -> Reply:
    """What AWS answers, in the protocol that the request speaks."""
    message = "Rate exceeded"
    code = "Throttling"
    if how == "denied":
        code = "AccessDenied"
        message = (
            f"User: arn:aws:sts::123456789012:assumed-role/{who}/{who} is "
            f"not authorized to perform: {call}"
        )
    if "HTTP_X_AMZ_TARGET" in environ:
        return _json(_STATUS[how], f"{code}Exception", message)
    if environ["PATH_INFO"].startswith("/service/"):
        return _cbor(_STATUS[how], f"{code}Exception", message)
    return _xml(_STATUS[how], code, message)


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
    """CloudWatch's protocol: RFC 8949, of which an error needs only two kinds."""
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
