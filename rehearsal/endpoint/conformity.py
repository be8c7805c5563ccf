"""Checks requests and answers against botocore's own model of a service."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


@functools.cache
def service_model(service: str) -> Any:
    """Botocore's model of a service, such as ``codedeploy``."""
    import botocore.session  # noqa: PLC0415 - botocore is slow to import

    return botocore.session.get_session().get_service_model(service)


def without_nones(value: Any) -> Any:
    """Leave out members that are None, as AWS does."""
    if isinstance(value, Mapping):
        return {k: without_nones(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [without_nones(item) for item in value]
    return value


def missing_members(value: Mapping[str, Any], shape: Any) -> list[str]:
    """The required members that a request lacks."""
    return [name for name in shape.required_members if value.get(name) is None]


def request_problems(request: Any, shape: Any) -> str:
    """What of a request does not fit its shape; enums are the operation's business."""
    import botocore.validate  # noqa: PLC0415 - botocore is slow to import

    report = botocore.validate.ParamValidator().validate(request, shape)
    return str(report.generate_report()) if report.has_errors() else ""


def answer_problems(answer: Any, shape: Any) -> str:
    """What of an answer does not fit its shape, enums included; empty if all does."""
    found = request_problems(answer, shape)
    return found or "\n".join(_foreign_enums(answer, shape, ""))


def _foreign_enums(value: Any, shape: Any, where: str) -> Iterator[str]:
    """Botocore's validator lets enums pass that the model does not have."""
    match shape.type_name:
        case "structure":
            for name, member in value.items():
                yield from _foreign_enums(
                    member, shape.members[name], f"{where}.{name}"
                )
        case "list":
            for index, member in enumerate(value):
                yield from _foreign_enums(member, shape.member, f"{where}[{index}]")
        case "map":
            for name, member in value.items():
                yield from _foreign_enums(member, shape.value, f"{where}.{name}")
        case "string" if shape.enum and value not in shape.enum:
            yield f"{where.lstrip('.')} is {value!r}, not one of {shape.enum}"


class ApiError(Exception):
    """An error that the service's model names; the client's fault.

    Args:
        code: The exception's name, such as ``DeploymentDoesNotExistException``.
        message: What was wrong and what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class BadTokenError(ValueError):
    """A token that no page of the list ended with."""


def page(keys: Sequence[str], token: str | None, size: int) -> tuple[slice, str | None]:
    """Which part of a list a request gets, and the token for the next part.

    A token names the last item of its page, so that what is added at the front between
    two requests moves nothing.

    Args:
        keys: What tells the items from each other, in their order.
        token: The request's token; None for the first page.
        size: The most items of a page.

    Raises:
        BadTokenError: The token is not this list's, or its item is gone.
    """
    start = 0 if token is None else _index(keys, token) + 1
    end = min(start + size, len(keys))
    following = None if end == len(keys) else _token(keys[end - 1])
    return slice(start, end), following


def _index(keys: Sequence[str], token: str) -> int:
    try:
        return list(keys).index(base64.urlsafe_b64decode(token).decode())
    except (binascii.Error, ValueError) as error:
        message = "nextToken is none that this list gave out; begin without one"
        raise BadTokenError(message) from error


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()
