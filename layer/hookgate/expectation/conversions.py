"""Filters that make one kind of value of another."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hookgate.expectation import json_text, markup
from hookgate.expectation.value import Missing, Unreadable, not_finite, shown

_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_MOST_DIGITS = 400
_DAY = 86400.0


def to_number(value: str | float) -> Any:
    """The number that a text holds, as JSON would write it; signs may be there."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if len(text) > _MOST_DIGITS or not _NUMBER.fullmatch(text):
        return Unreadable(f"{shown(value)}, which is no number (to_number)")
    number = float(text) if re.search("[.eE]", text) else int(text)
    if not_finite(number):
        return Unreadable(f"{shown(value)}, a number beyond all bounds (to_number)")
    return number


def to_integer(value: str | float) -> Any:
    """The same, but only a whole number: 2.5 is none."""
    number = to_number(value)
    if isinstance(number, float) and number.is_integer():
        return int(number)
    if isinstance(number, int | Unreadable):
        return number
    return Unreadable(f"{shown(value)}, which is no whole number (to_integer)")


def to_text(value: Any) -> Any:
    """A scalar as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return _utf8(value, "to_text")
    return json.dumps(value)


def to_date(value: Any, form: str | None = None) -> Any:
    """The instant that a text names; without a zone it is taken as UTC.

    Formats: ISO 8601, RFC 9110's dates (5.6.7), or ``form`` of strptime.
    """
    if isinstance(value, datetime):
        return value
    try:
        read = _instant(value, form)
    except (ValueError, OverflowError, TypeError, OSError):
        how = f"as {form}" if form else "as ISO 8601 or HTTP has it"
        return Unreadable(f"{shown(value)}, which is no date {how} (to_date)")
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


def days_from_now(value: datetime) -> float:
    """How many days from now until then."""
    return (value - datetime.now(UTC)).total_seconds() / _DAY


def base64_encode(value: str | bytes) -> str:
    """As base64 of RFC 4648, 4."""
    raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    return base64.b64encode(raw).decode()


def base64_decode(value: str) -> Any:
    """The text in base64 of RFC 4648, 4 or 5; padding may be left out."""
    text = "".join(value.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return Unreadable(f"{shown(value)}, which is no base64 (base64_decode)")
    return _utf8(raw, "base64_decode")


def digest(value: str | bytes, algorithm: str) -> str:
    """The digest in hexadecimal, lower case."""
    raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    return hashlib.new(algorithm, raw, usedforsecurity=False).hexdigest()


def at_path(value: Any, path: Any) -> Any:
    """What a JSON path leads to; an array of them where it may be several."""
    document = json_text.read_json(value) if isinstance(value, str) else value
    found = [each for _, each in json_text.places(document, path)]
    if path.singular_query() or isinstance(found[0], Missing | Unreadable):
        return found[0]
    return found


def at_expression(value: str, expression: Callable[[Any], Any]) -> Any:
    """What XPath or CSS leads to in a text of HTML."""
    root = markup.read_markup(value.encode("utf-8", "replace"), None)
    return markup.chosen(root, expression)


def _instant(value: Any, form: str | None) -> datetime:
    if not isinstance(value, str):
        return datetime.fromtimestamp(value, UTC)
    if form is not None:
        return datetime.strptime(value, form)  # noqa: DTZ007 - the caller adds the zone
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        from email.utils import parsedate_to_datetime  # noqa: PLC0415 - few dates are so

        return parsedate_to_datetime(value)


def _utf8(raw: bytes, name: str) -> Any:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return Unreadable(f"{shown(raw)}, which are not UTF-8 ({name})")
