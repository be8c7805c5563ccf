"""AWS's JSON 1.1 and query protocols, checked against botocore's model of a service."""

from __future__ import annotations

import base64
import binascii
import functools
import json
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

Operation = Callable[[dict[str, Any]], Mapping[str, Any] | None]

COMMON_ERRORS = {"ValidationException", "SerializationException"}

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP response of the endpoint."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error of any service, such as one of access.

    Attributes:
        code: The error's name without the ``Exception`` that JSON and CBOR add.
        message: What is wrong and what to do.
        status: The HTTP status.
        xml_code: The error's name in XML, where it differs.
    """

    code: str
    message: str
    status: int
    xml_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsRequest:
    """A request to a service of the endpoint.

    Attributes:
        target: The header ``X-Amz-Target``; empty in the query protocol.
        invocation_type: The header ``X-Amz-Invocation-Type``.
        moto: Gets moto's response.
    """

    method: str
    path: str
    target: str
    invocation_type: str
    body: bytes
    moto: Callable[[], Reply]


class ApiError(Exception):
    """An error that the service's model names; the client's fault.

    Args:
        code: The exception's name, such as ``DeploymentDoesNotExistException``.
        message: What is wrong and what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class OperationModule(Protocol):
    """A module with a table of operations, each a function of a context and request."""

    OPERATIONS: Mapping[str, Callable[[Any, dict[str, Any]], Mapping[str, Any] | None]]


def operations_of(
    modules: Iterable[OperationModule],
    context: object,
    lock: AbstractContextManager[Any] | None = None,
) -> dict[str, Operation]:
    """Combine the tables of modules.

    Args:
        modules: The modules.
        context: The first argument of every operation.
        lock: Held during each operation.
    """

    def bound(operation: Callable[..., Mapping[str, Any] | None]) -> Operation:
        def run(request: dict[str, Any]) -> Mapping[str, Any] | None:
            with lock or nullcontext():
                return operation(context, request)

        return run

    return {
        name: bound(operation)
        for module in modules
        for name, operation in module.OPERATIONS.items()
    }


def json_reply(status: int, content: Mapping[str, Any]) -> Reply:
    """Encode a response in JSON 1.1."""
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "x-amzn-RequestId": str(uuid.uuid4()),
    }
    return Reply(status=status, body=json.dumps(content).encode(), headers=headers)


def error_reply(code: str, message: str, status: int = 400) -> Reply:
    """Encode an error in JSON 1.1."""
    return json_reply(status, {"__type": code, "message": message})


class JsonService:
    """A service in JSON 1.1 that checks requests and responses against its model.

    Args:
        name: Botocore's name of the service.
        operations: The operations; one that is missing is not implemented.
        required_errors: The modeled error for a required member that is missing.
        extends_moto: Moto implements the missing operations.
    """

    def __init__(
        self,
        name: str,
        operations: Mapping[str, Operation],
        required_errors: Mapping[str, str] | None = None,
        *,
        extends_moto: bool = False,
    ) -> None:
        self._name = name
        self._extends_moto = extends_moto
        self._operations = operations
        self._required_errors = required_errors or {}

    def handle(self, request: AwsRequest) -> Reply | None:
        """Answer a request; None for moto."""
        _, dot, operation = request.target.partition(".")
        if not dot:
            message = f"{self._name} needs JSON 1.1 and the header X-Amz-Target."
            return error_reply("UnknownOperationException", message)
        if self._extends_moto and operation not in self._operations:
            return None
        return self.answer(operation, request.body)

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
            content = without_nones(self._operations[operation](request) or {})
        except ApiError as error:
            modeled = {shape.name for shape in shapes.error_shapes}
            if error.code in modeled | COMMON_ERRORS:
                return error_reply(error.code, error.message)
            message = f"{operation} does not model {error.code}: {error.message}"
            return error_reply("InternalFailure", message, 500)
        except Exception as error:
            _LOGGER.exception("%s %s", self._name, operation)
            return error_reply("InternalFailure", f"{operation}: {error!r}", 500)
        problems = answer_problems(content, shapes.output_shape)
        if problems:
            message = f"the response of {operation} does not fit the model: {problems}"
            _LOGGER.error(message)
            return error_reply("InternalFailure", message, 500)
        return json_reply(200, content)

    def _request(self, body: bytes, shapes: Any) -> dict[str, Any]:
        try:
            request = without_nones(json.loads(body or b"{}"))
        except ValueError as error:
            message = f"the request is not JSON: {error}"
            raise ApiError("SerializationException", message) from error
        if not isinstance(request, dict):
            message = "the request is not a JSON object"
            raise ApiError("SerializationException", message)
        check_request(request, shapes, self._required_errors)
        return request


def form_of(body: bytes) -> dict[str, str]:
    """Decode a request in the query protocol."""
    fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def query_reply(service: str, operation: str, content: Mapping[str, Any]) -> Reply:
    """Encode a response in the query protocol, if it fits the service's model."""
    from moto.core.serialize import (  # noqa: PLC0415 - moto is slow to import
        QuerySerializer,
    )
    from moto.core.utils import get_service_model  # noqa: PLC0415 - as above

    content = without_nones(content)
    shapes = service_model(service).operation_model(operation)
    problems = answer_problems(content, shapes.output_shape)
    if problems:
        message = f"{operation} does not fit the model: {problems}"
        return query_error(service, "InternalFailure", message, 500)
    model = get_service_model(service).operation_model(operation)
    body = QuerySerializer(operation_model=model).serialize(content)["body"]
    return _xml(200, body if isinstance(body, bytes) else body.encode())


def query_error(service: str, code: str, message: str, status: int = 400) -> Reply:
    """Encode an error in the query protocol."""
    namespace = service_model(service).metadata["xmlNamespace"]
    body = (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>Sender</Type>'
        f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return _xml(status, body.encode())


def _xml(status: int, body: bytes) -> Reply:
    return Reply(status=status, body=body, headers={"Content-Type": "text/xml"})


def refusal(environ: Mapping[str, Any], error: Refusal) -> Reply:
    """Encode an error of any service in the protocol of the request.

    Args:
        environ: The request, as WSGI describes it.
        error: The error.
    """
    code, message, status = f"{error.code}Exception", error.message, error.status
    if "HTTP_X_AMZ_TARGET" in environ:
        return _with_length(error_reply(code, message, status))
    if environ["PATH_INFO"].startswith("/service/"):
        return _with_length(_cbor_error(code, message, status))
    xml_code = error.xml_code or error.code
    details = f"<Code>{xml_code}</Code><Message>{escape(message)}</Message>"
    if "/s3/aws4_request" in environ.get("HTTP_AUTHORIZATION", ""):
        return _with_length(_xml(status, f"<Error>{details}</Error>".encode()))
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type>{details}</Error>"
            f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
        )
        return _with_length(_xml(status, body.encode()))
    reply = error_reply(code, message, status)
    headers = {**reply.headers, "x-amzn-ErrorType": code}
    return _with_length(replace(reply, headers=headers))


def _cbor_error(code: str, message: str, status: int) -> Reply:
    """CBOR (RFC 8949), which CloudWatch uses: a map of two pairs of texts."""
    texts = (each.encode() for each in ("__type", code, "message", message))
    body = b"\xa2" + b"".join(b"\x79" + len(t).to_bytes(2, "big") + t for t in texts)
    headers = {
        "Content-Type": "application/cbor",
        "smithy-protocol": "rpc-v2-cbor",
        "x-amzn-RequestId": str(uuid.uuid4()),
    }
    return Reply(status=status, body=body, headers=headers)


def _with_length(reply: Reply) -> Reply:
    length = {"Content-Length": str(len(reply.body))}
    return replace(reply, headers={**reply.headers, **length})


@functools.cache
def service_model(service: str) -> Any:
    """Load botocore's model of a service, such as ``codedeploy``."""
    import botocore.session  # noqa: PLC0415 - botocore is slow to import

    return botocore.session.get_session().get_service_model(service)


def without_nones(value: Any) -> Any:
    """Leave out members that are None, as AWS does."""
    if isinstance(value, Mapping):
        return {k: without_nones(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [without_nones(item) for item in value]
    return value


def check_request(
    request: Mapping[str, Any],
    shapes: Any,
    required_errors: Mapping[str, str] | None = None,
) -> None:
    """Check a request against its operation's model; enums are the operation's task.

    Args:
        request: The request.
        shapes: Botocore's model of the operation.
        required_errors: The modeled error for a required member that is missing.

    Raises:
        ApiError: A member is missing or has another type.
    """
    if shapes.input_shape is None:
        return
    for member in shapes.input_shape.required_members:
        if request.get(member) is None:
            code = (required_errors or {}).get(member, "ValidationException")
            raise ApiError(code, f"{shapes.name} needs {member}, which is missing.")
    problems = _type_problems(request, shapes.input_shape)
    if problems:
        raise ApiError("ValidationException", problems)


def answer_problems(answer: Any, shape: Any) -> str:
    """Compare a response with its shape, enums included.

    Returns:
        What does not fit; empty if everything fits or the model has no shape.
    """
    if shape is None:
        return ""
    problems = _type_problems(answer, shape)
    return problems or "\n".join(_unknown_enums(answer, shape, ""))


def _type_problems(value: Any, shape: Any) -> str:
    import botocore.validate  # noqa: PLC0415 - botocore is slow to import

    report = botocore.validate.ParamValidator().validate(value, shape)
    return str(report.generate_report()) if report.has_errors() else ""


def _unknown_enums(value: Any, shape: Any, where: str) -> Iterator[str]:
    """Find what botocore's validator accepts: enum values that are not in the model."""
    match shape.type_name:
        case "structure":
            for name, item in value.items():
                yield from _unknown_enums(item, shape.members[name], f"{where}.{name}")
        case "list":
            for index, item in enumerate(value):
                yield from _unknown_enums(item, shape.member, f"{where}[{index}]")
        case "map":
            for name, item in value.items():
                yield from _unknown_enums(item, shape.value, f"{where}.{name}")
        case "string" if shape.enum and value not in shape.enum:
            yield f"{where.lstrip('.')} is {value!r}, not one of {shape.enum}"


class BadTokenError(ValueError):
    """A pagination token that this list did not return."""


def page(keys: Sequence[str], token: str | None, size: int) -> tuple[slice, str | None]:
    """Select a page of a list.

    A token names the last item of its page, so that an item that is added at the front
    between two requests moves nothing.

    Args:
        keys: Distinct keys of the items, in their order.
        token: The request's token; None for the first page.
        size: The maximum number of items.

    Returns:
        The page, and the token of the next one.

    Raises:
        BadTokenError: The token is not of this list, or its item no longer exists.
    """
    start = 0 if token is None else _index(keys, token) + 1
    end = min(start + size, len(keys))
    if end == len(keys):
        return slice(start, end), None
    return slice(start, end), base64.urlsafe_b64encode(keys[end - 1].encode()).decode()


def _index(keys: Sequence[str], token: str) -> int:
    try:
        return list(keys).index(base64.urlsafe_b64decode(token).decode())
    except (binascii.Error, ValueError) as error:
        message = "nextToken is not one that this list returned; start without a token"
        raise BadTokenError(message) from error
