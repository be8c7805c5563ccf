"""All of CloudWatch's operations in one table, as JSON and as the query protocol."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from rehearsal.cloudwatch.api import alarms, metrics, putting
from rehearsal.cloudwatch.api.context import Context, ContextOperation
from rehearsal.endpoint.conformity import (
    ApiError,
    answer_problems,
    missing_members,
    request_problems,
    service_model,
    without_nones,
)
from rehearsal.endpoint.json_service import (
    JsonService,
    Operation,
    Reply,
    json_reply,
)

NAMESPACE = "http://monitoring.amazonaws.com/doc/2010-08-01/"


def answer_form(body: bytes, operations: Mapping[str, Operation]) -> Reply | None:
    """Answer a request as a form; None for what the table does not have.

    Args:
        body: The request.
        operations: What each operation does.
    """
    from moto.core.parse import QueryParser  # noqa: PLC0415 - moto is slow to import
    from moto.core.utils import get_service_model  # noqa: PLC0415 - as above
    from werkzeug.datastructures import (  # noqa: PLC0415 - as above
        Headers,
        MultiDict,
    )

    values = MultiDict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    name = values.get("Action", "")
    if name not in operations:
        return None
    shapes = service_model("cloudwatch").operation_model(name)
    parser = QueryParser(get_service_model("cloudwatch").operation_model(name))
    request = parser.parse(
        {
            "method": "POST",
            "url_path": "/",
            "url_params": {},
            "values": values,
            "headers": Headers(),
            "body": body,
        }
    )
    try:
        _check(request, shapes)
        content = without_nones(operations[name](request) or {})
    except ApiError as error:
        return error_reply(error.code, error.message)
    return _reply(name, content, shapes)


def _check(request: Mapping[str, Any], shapes: Any) -> None:
    missing = missing_members(request, shapes.input_shape)
    if missing:
        message = f"{shapes.name} needs {missing[0]}, which is missing."
        raise ApiError("ValidationException", message)
    found = request_problems(request, shapes.input_shape)
    if found:
        raise ApiError("ValidationException", found)


def _reply(name: str, content: Mapping[str, Any], shapes: Any) -> Reply:
    from moto.core.serialize import (  # noqa: PLC0415 - moto is slow to import
        QuerySerializer,
    )
    from moto.core.utils import get_service_model  # noqa: PLC0415 - as above

    found = answer_problems(content, shapes.output_shape) if shapes.output_shape else ""
    if found:
        return error_reply("InternalFailure", f"{name} does not fit: {found}", 500)
    model = get_service_model("cloudwatch").operation_model(name)
    body = QuerySerializer(operation_model=model).serialize(content)["body"]
    return Reply(
        status=200,
        body=body.encode() if isinstance(body, str) else body,
        headers={"Content-Type": "text/xml"},
    )


def error_reply(code: str, message: str, status: int = 400) -> Reply:
    """An error as the query protocol says it."""
    body = (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type>'
        f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return Reply(
        status=status, body=body.encode(), headers={"Content-Type": "text/xml"}
    )


MODULES = (metrics, putting, alarms)

_QUERY_ERROR = "x-amzn-query-error"


class CloudWatchService:
    """Answers what the emulator does itself; the rest of CloudWatch is moto's.

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
            message = "The emulator's CloudWatch speaks JSON and query, not CBOR."
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
