"""All of CloudWatch's operations in one table, as JSON and as the query protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rehearsal.cloudwatch.api import alarms, metrics, putting
from rehearsal.cloudwatch.api.context import Context, ContextOperation
from rehearsal.cloudwatch.api.query import answer_form
from rehearsal.endpoint.conformity import service_model
from rehearsal.endpoint.json_service import (
    JsonService,
    Operation,
    Reply,
    json_reply,
)

MODULES = (metrics, putting, alarms)
_QUERY_ERROR = "x-amzn-query-error"


class CloudWatchService:
    """Answers what the stage does itself; the rest of CloudWatch is moto's.

    Args:
        context: What the operations work with.
    """

    def __init__(self, context: Context) -> None:
        self._operations = {
            name: _operation(context, operation)
            for module in MODULES
            for name, operation in module.OPERATIONS.items()
        }
        self._json = JsonService("cloudwatch", self._operations)

    def answer(self, target: str, path: str, body: bytes) -> Reply | None:
        """Answer a request in JSON or as a form; None for what is moto's to answer.

        Args:
            target: The header ``X-Amz-Target``.
            path: The request's path.
            body: The request.
        """
        if path.startswith("/service/"):
            message = "The stage's CloudWatch speaks JSON and query, not CBOR."
            return json_reply(501, {"__type": "NotImplemented", "message": message})
        if not target:
            reply = answer_form(body, self._operations)
            return reply if reply is None or reply.status == 200 else _named(reply)
        _, _, operation = target.partition(".")
        if not self._json.has(operation):
            return None
        reply = self._json.answer(operation, body)
        return reply if reply.status == 200 else _with_query_error(reply)


def _operation(context: Context, operation: ContextOperation) -> Operation:
    def answer(request: dict[str, Any]) -> Mapping[str, Any] | None:
        context.refresh()
        return operation(context, request)

    return answer


def _with_query_error(reply: Reply) -> Reply:
    """The error under the name that clients know from the query protocol.

    Source: the AWS JSON protocols' ``awsQueryCompatible`` trait.
    """
    code = _query_code(str(json.loads(reply.body)["__type"]))
    return replace(reply, headers={**reply.headers, _QUERY_ERROR: f"{code};Sender"})


def _named(reply: Reply) -> Reply:
    """A form's error, its code as that protocol has it."""
    code = reply.body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()
    old, new = f"<Code>{code}</Code>", f"<Code>{_query_code(code)}</Code>"
    return replace(reply, body=reply.body.replace(old.encode(), new.encode()))


def _query_code(code: str) -> str:
    names = {
        shape.name: shape.metadata.get("error", {}).get("code", shape.name)
        for shape in service_model("cloudwatch").error_shapes
    }
    return str({**names, "ValidationException": "ValidationError"}.get(code, code))
