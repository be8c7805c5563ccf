"""What a plan may give a filter, and how a value in a plan is read for its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.expectation.conversions import to_date
from hookgate.expectation.json_text import json_path
from hookgate.expectation.markup import css, xpath
from hookgate.expectation.value import Kind, Octets, Seconds, Unreadable
from hookgate.units import duration, pattern, size

#: The digests that may be asked for.
HASHES = ("md5", "sha1", "sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """What a filter is given: in words, how it is read, and its JSON Schema."""

    what: str
    read: Callable[[Any], Any]
    schema: Mapping[str, Any]


def text(value: object) -> str:
    """Demand a text.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, str):
        raise InvalidValue("this is text; put it in quotes", code=Code.ASSERT_ARGUMENT)
    return value


def number(value: object) -> float:
    """Demand a number.

    Raises:
        ValueError: it is something else; a boolean is no number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValue(
            "this is a number; write it without quotes and unit",
            code=Code.ASSERT_ARGUMENT,
        )
    return value


def whole(value: object) -> int:
    """Demand a whole number.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValue(
            "this is a whole number such as 2", code=Code.ASSERT_ARGUMENT
        )
    return value


def instant(value: object) -> Any:
    """Read a date such as ``2026-01-31`` or ``2026-01-31T12:00:00Z``.

    Raises:
        ValueError: it is none.
    """
    read = to_date(text(value))
    if isinstance(read, Unreadable):
        raise InvalidValue(
            f"{value!r} is not a date; write 2026-01-31T12:00:00Z",
            code=Code.ASSERT_ARGUMENT,
        )
    return read


def octets(value: object) -> bytes:
    """Read bytes in hexadecimal such as ``89 50 4e 47``.

    Raises:
        ValueError: they are none.
    """
    try:
        return bytes.fromhex(text(value))
    except ValueError:
        raise InvalidValue(
            f"{value!r} are no bytes; write hexadecimal in quotes, such as '89 50 4e'",
            code=Code.ASSERT_ARGUMENT,
        ) from None


def of_kind(kind: Kind | None, value: object) -> Any:
    """Read what a value of ``kind`` is compared with.

    Raises:
        ValueError: it is of another kind, or has not the unit that it must have.
    """
    read = _READ.get(kind) if kind else None
    return read(value) if read else value


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """End a sentence about an unknown word."""
    from difflib import get_close_matches  # noqa: PLC0415 - most plans are right

    known = tuple(known)
    close = get_close_matches(word[:64].lower(), known, n=1)
    meant = f"did you mean {close[0]!r}? There are" if close else "there are"
    return f"; {meant}: {', '.join(known)}"


def _separator(value: object) -> str:
    if not text(value):
        raise InvalidValue(
            "an empty text is between all characters; write another",
            code=Code.ASSERT_ARGUMENT,
        )
    return str(value)


def _format(value: object) -> str:
    if "%" not in text(value):
        raise InvalidValue(
            f"{value!r} is no format such as '%d.%m.%Y'", code=Code.ASSERT_ARGUMENT
        )
    return str(value)


def _replacement(value: object) -> tuple[Any, str]:
    keys = set(value) if isinstance(value, dict) else set()
    if not isinstance(value, dict) or keys not in (
        {"text", "with"},
        {"matches", "with"},
    ):
        raise InvalidValue(
            'write {text: "a", with: "b"} or {matches: "a+", with: "b"}',
            code=Code.OPTION_ONE_OF,
        )
    old = _separator(value["text"]) if "text" in keys else pattern(value["matches"])
    return old, text(value["with"])


def _hash(value: object) -> str:
    if value not in HASHES:
        raise InvalidValue(
            f"{value!r} is not one of {', '.join(HASHES)}", code=Code.ASSERT_ARGUMENT
        )
    return str(value)


_READ: Mapping[Kind, Callable[[object], Any]] = {
    Kind.STRING: text,
    Kind.NUMBER: number,
    Kind.DATE: instant,
    Kind.BYTES: octets,
    Kind.DURATION: lambda value: Seconds(duration(value)),
    Kind.SIZE: lambda value: Octets(size(value)),
}
_STRING = {"type": "string"}
_REPLACE = {
    "type": "object",
    "properties": {
        "text": _STRING,
        "matches": {**_STRING, "format": "regex"},
        "with": _STRING,
    },
    "required": ["with"],
    "additionalProperties": False,
}

TEXT = Argument(what="a text", read=text, schema=_STRING)
SEPARATOR = Argument(what="a text", read=_separator, schema=_STRING)
INDEX = Argument(what="an index", read=whole, schema={"type": "integer"})
REPLACEMENT = Argument(what="what to replace", read=_replacement, schema=_REPLACE)
PATTERN = Argument(
    what="a regular expression", read=pattern, schema={**_STRING, "format": "regex"}
)
HASH = Argument(
    what="an algorithm", read=_hash, schema={**_STRING, "enum": list(HASHES)}
)
FORMAT = Argument(what="a format of strptime", read=_format, schema=_STRING)
JSON_PATH = Argument(what="a JSON path", read=json_path, schema=_STRING)
XPATH = Argument(what="an XPath expression", read=xpath, schema=_STRING)
CSS = Argument(what="a CSS selector", read=css, schema=_STRING)
