"""Checks requests and answers against botocore's own model of a service."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
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
