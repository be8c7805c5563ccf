"""A service that speaks AWS's JSON 1.1 protocol, from a table of operations."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.endpoint.conformity import (
    ApiError,
    answer_problems,
    missing_members,
    request_problems,
    service_model,
    without_nones,
)

Operation = Callable[[dict[str, Any]], Mapping[str, Any] | None]

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def json_reply(status: int, content: Mapping[str, Any]) -> Reply:
    """An answer in JSON 1.1."""
    return Reply(
        status=status,
        body=json.dumps(content).encode(),
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "x-amzn-RequestId": str(uuid.uuid4()),
        },
    )


def error_reply(code: str, message: str, status: int = 400) -> Reply:
    """A modelled error, as JSON 1.1 says it."""
    return json_reply(status, {"__type": code, "message": message})


class JsonService:
    """Parses, checks, dispatches and checks again.

    Args:
        name: Botocore's name of the service.
        operations: What each operation does; one that is missing is not implemented.
        required_errors: The modelled error for a required member that is missing.
    """

    def __init__(
        self,
        name: str,
        operations: Mapping[str, Operation],
        required_errors: Mapping[str, str] | None = None,
    ) -> None:
        self._name = name
        self._operations = operations
        self._required_errors = required_errors or {}

    def has(self, operation: str) -> bool:
        """Whether the operation is in the table."""
        return operation in self._operations

    def answer(self, operation: str, body: bytes) -> Reply:
        """Answer one request.

        Args:
            operation: Its name, from the ``X-Amz-Target`` header.
            body: The request's JSON.
        """
        model = service_model(self._name)
        if operation not in model.operation_names:
            message = f"{self._name} has no operation {operation!r}."
            return error_reply("UnknownOperationException", message)
        if operation not in self._operations:
            message = f"The rehearsal does not implement {self._name} {operation} yet."
            return error_reply("NotImplemented", message, 501)
        shapes = model.operation_model(operation)
        try:
            request = self._request(body, shapes)
            content = self._operations[operation](request)
        except ApiError as error:
            return self._refusal(error, shapes)
        except Exception as error:
            _LOGGER.exception("%s %s", self._name, operation)
            return error_reply("InternalFailure", f"{operation}: {error!r}", 500)
        return self._checked(operation, without_nones(content or {}), shapes)

    def _request(self, body: bytes, shapes: Any) -> dict[str, Any]:
        try:
            request = without_nones(json.loads(body or b"{}"))
        except ValueError as error:
            message = f"the request is not JSON: {error}"
            raise ApiError("SerializationException", message) from error
        if not isinstance(request, dict):
            raise ApiError("SerializationException", "the request is no JSON object")
        if shapes.input_shape is None:
            return request
        for member in missing_members(request, shapes.input_shape):
            code = self._required_errors.get(member, "ValidationException")
            raise ApiError(code, f"{shapes.name} needs {member}, which is missing.")
        found = request_problems(request, shapes.input_shape)
        if found:
            raise ApiError("ValidationException", found)
        return request

    def _refusal(self, error: ApiError, shapes: Any) -> Reply:
        modelled = {shape.name for shape in shapes.error_shapes}
        common = {"ValidationException", "SerializationException"}
        if error.code not in modelled | common:
            message = f"{shapes.name} does not model {error.code}: {error.message}"
            return error_reply("InternalFailure", message, 500)
        return error_reply(error.code, error.message)

    def _checked(
        self, operation: str, content: Mapping[str, Any], shapes: Any
    ) -> Reply:
        found = (
            answer_problems(content, shapes.output_shape) if shapes.output_shape else ""
        )
        if found:
            message = f"the answer of {operation} does not fit the model: {found}"
            _LOGGER.error(message)
            return error_reply("InternalFailure", message, 500)
        return json_reply(200, content)
