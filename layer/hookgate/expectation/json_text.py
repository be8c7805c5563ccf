"""JSON as an answer brings it, and paths into it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.expectation.value import Missing, Unreadable

if TYPE_CHECKING:
    from jsonpath import JSONPath


def json_path(value: object) -> JSONPath:
    """Compile a JSON path of RFC 9535.

    Raises:
        ValueError: it does not compile.
    """
    from jsonpath import (  # noqa: PLC0415 - a plan may not use it
        JSONPath,
        JSONPathEnvironment,
        JSONPathError,
    )

    if isinstance(value, JSONPath):
        return value
    if not isinstance(value, str):
        raise InvalidValue(
            "a JSON path is text such as $.status", code=Code.ASSERT_QUERY
        )
    if not value.startswith("$"):
        raise InvalidValue(
            f"{value!r} is not a JSON path: it begins with $.",
            code=Code.ASSERT_QUERY,
        )
    try:
        compiled = JSONPathEnvironment(strict=True).compile(value)
    except JSONPathError as error:
        # The library's own text may fail to build for an error at the end.
        raise InvalidValue(
            f"{value!r} is not a JSON path such as $.status: {error.args[0]}",
            code=Code.ASSERT_QUERY,
        ) from None
    if not isinstance(compiled, JSONPath):
        raise InvalidValue(
            f"{value!r} is not a single JSON path", code=Code.ASSERT_QUERY
        )
    return compiled


#: A compiled JSON path; Any, so that the library comes in only with a path.
JsonPath = Annotated[
    Any,
    BeforeValidator(json_path),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["$.status"]}),
]


def read_json(text: str | bytes) -> Any:
    """The document, or why there is none.

    Python reads NaN and Infinity, which are no JSON: the predicates refuse them.
    """
    what = "body" if isinstance(text, bytes) else "text"
    if not text.strip():
        return Unreadable(f"an empty {what}, which is no JSON")
    try:
        return json.loads(text)
    except RecursionError:
        return Unreadable("JSON that is nested too deeply to be read")
    except ValueError as error:
        return Unreadable(f"a {what} that is not JSON ({error})")


def places(document: Any, path: JSONPath) -> Sequence[tuple[str, Any]]:
    """Each place that ``path`` leads to with its value, at least one."""
    from jsonpath import JSONPathError  # noqa: PLC0415 - a plan may not use it

    where = str(path)
    if isinstance(document, Unreadable):
        return [(where, document)]
    try:
        found = [(each.path, each.obj) for each in path.finditer(document)]
    except (JSONPathError, RecursionError) as error:
        reason = error.args[0] if error.args else "nested too deeply"
        return [(where, Unreadable(f"JSON that cannot be searched ({reason})"))]
    return found or [(where, Missing("the value"))]
