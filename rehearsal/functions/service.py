"""Lambda's API for the functions of an emulator."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any
from urllib.parse import unquote

from hookgate_rehearsal.endpoint.protocols import AwsRequest, Reply
from hookgate_rehearsal.functions.fleet import Fleet, UnknownFunctionError
from hookgate_rehearsal.functions.function import Function

PATH = re.compile(r"/2015-03-31/functions(?:/(?P<name>[^/]+)(?P<rest>/[a-z]+)?)?/?")
MAX_PAYLOAD = 6 * 1024 * 1024


class LambdaService:
    """Answers Invoke and the calls that read functions; moto answers the others.

    Args:
        fleet: The functions.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def handle(self, request: AwsRequest) -> Reply | None:
        """Answer a request; None for moto."""
        match = PATH.fullmatch(request.path)
        if match is None:
            return None
        name, rest = match["name"], match["rest"]
        try:
            if request.method == "GET" and name is None:
                functions = self._fleet.functions.values()
                return _json({"Functions": [self._configuration(f) for f in functions]})
            function = self._fleet.find(unquote(name or ""))
            match request.method, rest:
                case "POST", "/invocations":
                    return self._invoke(function, request)
                case "GET", None:
                    return _json({"Configuration": self._configuration(function)})
                case "GET", "/configuration":
                    return _json(self._configuration(function))
        except UnknownFunctionError as error:
            return _error(404, "ResourceNotFoundException", str(error))
        return None

    def _invoke(self, function: Function, request: AwsRequest) -> Reply:
        body = request.body or b"{}"
        if len(body) > MAX_PAYLOAD:
            message = f"the payload is longer than {MAX_PAYLOAD} bytes"
            return _error(413, "RequestTooLargeException", message)
        try:
            json.loads(body)
        except ValueError as error:
            message = f"Could not parse request body into json: {error}"
            return _error(400, "InvalidRequestContentException", message)
        if request.invocation_type == "Event":
            self._fleet.invoke_asynchronously(function, body)
            return _reply(202, b"")
        if request.invocation_type == "DryRun":
            return _reply(204, b"")
        result = self._fleet.invoke(function, body)
        failed = {"X-Amz-Function-Error": "Unhandled"} if result.is_error else {}
        headers = {"X-Amz-Executed-Version": "$LATEST", **failed}
        return _reply(200, result.payload, headers)

    def _configuration(self, function: Function) -> dict[str, Any]:
        return {
            "FunctionName": function.name,
            "FunctionArn": self._fleet.settings.arn(function.name),
            "Handler": function.handler,
            "Timeout": int(function.timeout),
            "MemorySize": function.memory,
            "State": "Active",
            "Version": "$LATEST",
            "Environment": {"Variables": dict(function.environment)},
        }


def _json(content: dict[str, Any]) -> Reply:
    return _reply(200, json.dumps(content).encode())


def _error(status: int, code: str, message: str) -> Reply:
    body = json.dumps({"Type": "User", "Message": message}).encode()
    return _reply(status, body, {"x-amzn-ErrorType": code})


def _reply(status: int, body: bytes, headers: dict[str, str] | None = None) -> Reply:
    both = {
        "Content-Type": "application/json",
        "x-amzn-RequestId": str(uuid.uuid4()),
        **(headers or {}),
    }
    return Reply(status=status, body=body, headers=both)
