"""Values that a query reads: their kinds, and the values that stand for none.

NaN, null, empty, missing and unreadable are five different values.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.redaction import masked
from hookgate.units import seconds_text

if TYPE_CHECKING:
    from jsonpath import JSONPath

_SHOWN = 200


class Kind(StrEnum):
    """The kind of a value: those of JSON, and four more."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    ARRAY = "array"
    OBJECT = "object"
    BYTES = "bytes"
    DATE = "date"
    DURATION = "duration"
    SIZE = "size"


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no such value; ``what`` names it."""

    what: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The value cannot be read; ``why`` is the reason."""

    why: str


class Seconds(float):
    """A duration in seconds; a plan writes its bounds with a unit."""

    __slots__ = ()


class Octets(int):
    """A size in bytes, whose bounds a plan writes with a unit."""

    __slots__ = ()


_KINDS: tuple[tuple[type | tuple[type, ...], Kind], ...] = (
    (str, Kind.STRING),
    (bool, Kind.BOOLEAN),
    (Seconds, Kind.DURATION),
    (Octets, Kind.SIZE),
    ((int, float), Kind.NUMBER),
    (type(None), Kind.NULL),
    ((list, tuple), Kind.ARRAY),
    (dict, Kind.OBJECT),
    (bytes, Kind.BYTES),
    (datetime, Kind.DATE),
)


def kind_of(value: Any) -> Kind:
    """The kind of a value that is neither missing nor unreadable."""
    return next(kind for types, kind in _KINDS if isinstance(value, types))


def not_finite(value: Any) -> bool:
    """Whether it is NaN or infinite, which Python reads although JSON has neither."""
    return isinstance(value, float) and not math.isfinite(value)


def listed(kinds: Iterable[Kind]) -> str:
    """Name kinds in a sentence: ``a string, an array or bytes``."""
    names = [_WITH_ARTICLE[kind] for kind in Kind if kind in set(kinds)]
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def shown(value: Any) -> str:
    """Show a value in a message, bounded; the special values differ from each other."""
    if isinstance(value, Missing):
        return f"nothing: {value.what} is missing"
    if isinstance(value, Unreadable):
        return value.why
    if not_finite(value):
        return _NOT_FINITE[math.isnan(value)]
    if value == "":
        return 'an empty text ("")'
    text = _written(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; unlike in Python, true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            same(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def encodable(text: str) -> str:
    """Replace what UTF-8 cannot encode: JSON may contain half a surrogate pair."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _written(value: Any) -> str:
    if isinstance(value, Seconds):
        return seconds_text(value)
    if isinstance(value, Octets):
        return f"{int(value)} B"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, bytes):
        return f"the bytes {value[:_SHOWN].hex()}" if value else "no bytes"
    try:
        # Masked before it is cut: a mask does not know half a secret.
        return masked(json.dumps(value, ensure_ascii=False, default=str))
    except RecursionError:
        return f"{_WITH_ARTICLE[kind_of(value)]} that is nested too deeply to be shown"


_NOT_FINITE = {
    True: "NaN, which is not a number and equals nothing",
    False: "Infinity, which is not a number in JSON",
}

_WITH_ARTICLE = {
    Kind.STRING: "a string",
    Kind.NUMBER: "a number",
    Kind.BOOLEAN: "a boolean",
    Kind.NULL: "null",
    Kind.ARRAY: "an array",
    Kind.OBJECT: "an object",
    Kind.BYTES: "bytes",
    Kind.DATE: "a date",
    Kind.DURATION: "a duration",
    Kind.SIZE: "a size",
}


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
            f"{value!r} is not a JSON path: it begins with $",
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


#: A compiled JSON path; Any, so that the library is imported only with a path.
JsonPath = Annotated[
    Any,
    BeforeValidator(json_path),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["$.status"]}),
]


def read_json(text: str | bytes) -> Any:
    """Read a document; ``Unreadable`` if it is not JSON.

    Python reads NaN and Infinity, which are not JSON: the predicates refuse them.
    """
    what = "body" if isinstance(text, bytes) else "text"
    if not text.strip():
        return Unreadable(f"an empty {what}, which is not JSON")
    try:
        return json.loads(text)
    except RecursionError:
        return Unreadable("JSON that is nested too deeply to be read")
    except ValueError as error:
        return Unreadable(f"a {what} that is not JSON ({error})")


def places(document: Any, path: JSONPath) -> Sequence[tuple[str, Any]]:
    """Return each place that ``path`` selects with its value, at least one."""
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
