"""Lambda's API: Invoke of the emulator's functions, and who they are."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any
from urllib.parse import unquote

from rehearsal.endpoint.json_service import Reply
from rehearsal.functions.fleet import Fleet, UnknownFunctionError
from rehearsal.functions.function import Function

PATH = re.compile(r"/2015-03-31/functions(?:/(?P<name>[^/]+)(?P<rest>/[a-z]+)?)?/?")
MAX_PAYLOAD = 6 * 1024 * 1024


class LambdaService:
    """Answers what an emulator's functions need; the rest of Lambda is moto's.

    Args:
        fleet: The functions.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def answer(
        self, method: str, path: str, invocation_type: str, body: bytes
    ) -> Reply | None:
        """Answer a request; None for what is moto's to answer.

        Args:
            method: The HTTP method.
            path: The request's path.
            invocation_type: The header ``X-Amz-Invocation-Type``.
            body: The event.
        """
        match = PATH.fullmatch(path)
        if match is None:
            return None
        name, rest = match["name"], match["rest"]
        try:
            if method == "GET" and name is None:
                return _json(200, {"Functions": self._all()})
            function = self._fleet.find(unquote(name or ""))
            match method, rest:
                case "POST", "/invocations":
                    return self._invoke(function, invocation_type, body)
                case "GET", None:
                    return _json(200, {"Configuration": self._configuration(function)})
                case "GET", "/configuration":
                    return _json(200, self._configuration(function))
        except UnknownFunctionError as error:
            return error_reply(404, "ResourceNotFoundException", str(error))
        return None

    def _invoke(self, function: Function, invocation_type: str, body: bytes) -> Reply:
        if len(body) > MAX_PAYLOAD:
            message = f"the payload is longer than {MAX_PAYLOAD} bytes"
            return error_reply(413, "RequestTooLargeException", message)
        try:
            json.loads(body or b"{}")
        except ValueError as error:
            message = f"Could not parse request body into json: {error}"
            return error_reply(400, "InvalidRequestContentException", message)
        match invocation_type:
            case "Event":
                self._fleet.invoke_asynchronously(function, body or b"{}")
                return _reply(202, b"")
            case "DryRun":
                return _reply(204, b"")
        outcome = self._fleet.invoke(function, body or b"{}")
        headers = {"X-Amz-Executed-Version": "$LATEST"}
        if outcome.is_error:
            headers["X-Amz-Function-Error"] = "Unhandled"
        return _reply(200, outcome.payload, headers)

    def _all(self) -> list[dict[str, Any]]:
        return [self._configuration(each) for each in self._fleet.functions.values()]

    def _configuration(self, function: Function) -> dict[str, Any]:
        return {
            "FunctionName": function.name,
            "FunctionArn": self._fleet.surroundings.arn(function.name),
            "Handler": function.handler,
            "Timeout": int(function.timeout),
            "MemorySize": function.memory,
            "State": "Active",
            "Version": "$LATEST",
            "Environment": {"Variables": dict(function.environment)},
        }


def _json(status: int, content: dict[str, Any]) -> Reply:
    return _reply(status, json.dumps(content).encode())


def error_reply(status: int, code: str, message: str) -> Reply:
    """A modelled error, as REST-JSON says it."""
    body = json.dumps({"Type": "User", "Message": message}).encode()
    return _reply(status, body, {"x-amzn-ErrorType": code})


def _reply(status: int, body: bytes, headers: dict[str, str] | None = None) -> Reply:
    common = {
        "Content-Type": "application/json",
        "x-amzn-RequestId": str(uuid.uuid4()),
    }
    return Reply(status=status, body=body, headers={**common, **(headers or {})})
