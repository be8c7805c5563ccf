"""CloudWatch over the query protocol, which older clients speak."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from rehearsal.endpoint.conformity import (
    answer_problems,
    missing_members,
    request_problems,
    service_model,
    without_nones,
)
from rehearsal.endpoint.errors import ApiError
from rehearsal.endpoint.json_service import Operation, Reply

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
