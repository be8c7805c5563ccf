"""All of CloudWatch's operations in one table, as JSON and as the query protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rehearsal.cloudwatch.api import alarms, metrics, putting
from rehearsal.cloudwatch.api.context import Context, ContextOperation
from rehearsal.endpoint.conformity import service_model
from rehearsal.endpoint.json_service import JsonService, Operation, Reply

MODULES = (metrics, putting, alarms)
TARGET = "GraniteServiceVersion20100801"
_QUERY_ERROR = "x-amzn-query-error"


class CloudWatchService:
    """Answers what the stage does itself; the rest of CloudWatch is moto's.

    Args:
        context: What the operations work with.
    """

    def __init__(self, context: Context) -> None:
        table = {
            name: _operation(context, operation)
            for module in MODULES
            for name, operation in module.OPERATIONS.items()
        }
        self._json = JsonService("cloudwatch", table)

    def answer(self, target: str, body: bytes) -> Reply | None:
        """Answer a request in JSON; None for what is moto's to answer.

        Args:
            target: The header ``X-Amz-Target``.
            body: The request.
        """
        prefix, _, operation = target.partition(".")
        if prefix != TARGET or not self._json.has(operation):
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
    code = str(json.loads(reply.body)["__type"])
    model = service_model("cloudwatch")
    names = {
        shape.name: shape.metadata.get("error", {}).get("code", shape.name)
        for shape in model.error_shapes
    }
    known = names.get(code, {"ValidationException": "ValidationError"}.get(code, code))
    headers = {**reply.headers, _QUERY_ERROR: f"{known};Sender"}
    return replace(reply, headers=headers)
