"""The functions of filters: each converts one kind of value into another."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from hookgate.assertions import markup, values
from hookgate.assertions.values import (
    Kind,
    Missing,
    Unreadable,
    encodable,
    kind_of,
    not_finite,
    same,
    shown,
)

_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")

_MOST_DIGITS = 400

_DAY = 86400.0


def to_number(value: str | float) -> Any:
    """Read the number in a text, as JSON writes it; a sign is allowed."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if len(text) > _MOST_DIGITS or not _NUMBER.fullmatch(text):
        return Unreadable(f"{shown(value)}, which is not a number (to_number)")
    number = float(text) if re.search("[.eE]", text) else int(text)
    if not_finite(number):
        return Unreadable(f"{shown(value)}, a number that is too large (to_number)")
    return number


def to_integer(value: str | float) -> Any:
    """Read a whole number; 2.5 is not one."""
    number = to_number(value)
    if isinstance(number, float) and number.is_integer():
        return int(number)
    if isinstance(number, int | Unreadable):
        return number
    return Unreadable(f"{shown(value)}, which is not a whole number (to_integer)")


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
    """Read a date; one without a time zone is in UTC.

    Formats: ISO 8601, RFC 9110's dates (5.6.7), or ``form`` of strptime.
    """
    if isinstance(value, datetime):
        return value
    try:
        read = _instant(value, form)
    except (ValueError, OverflowError, TypeError, OSError):
        how = f"in the format {form}" if form else "of ISO 8601 or HTTP"
        return Unreadable(f"{shown(value)}, which is not a date {how} (to_date)")
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


def days_from_now(value: datetime) -> float:
    """The number of days from now until ``value``."""
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
        return Unreadable(f"{shown(value)}, which is not base64 (base64_decode)")
    return _utf8(raw, "base64_decode")


def digest(value: str | bytes, algorithm: str) -> str:
    """The digest in hexadecimal, lower case."""
    raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    return hashlib.new(algorithm, raw, usedforsecurity=False).hexdigest()


def at_path(value: Any, path: Any) -> Any:
    """What a JSON path selects; a list if it can select several values."""
    document = values.read_json(value) if isinstance(value, str) else value
    found = [each for _, each in values.places(document, path)]
    if path.singular_query() or isinstance(found[0], Missing | Unreadable):
        return found[0]
    return found


def at_expression(value: str, expression: Callable[[Any], Any]) -> Any:
    """What XPath or CSS selects in a text of HTML."""
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


_LARGEST = 8 * 2**20


def replace(text: str, how: tuple[Any, str]) -> Any:
    """Replace a text or the matches of a pattern; the new text is taken literally."""
    old, new = how
    text = encodable(text)
    if isinstance(old, str):
        count = text.count(old)
    else:
        count = sum(1 for _ in old.finditer(text)) if new else 0
    if len(text) + count * len(new) > _LARGEST:
        return Unreadable(f"more than {_LARGEST} characters after replace")
    if isinstance(old, str):
        return text.replace(old, new)
    return old.sub(lambda _match: new, text)


def captured(text: str, pattern: Any) -> Any:
    """The first group of the first match, or the whole of it."""
    found = pattern.search(encodable(text))
    if found is None:
        return Missing(f"a match of {pattern.pattern}")
    if not pattern.groups:
        return found.group()
    return found.group(1) if found.group(1) is not None else Missing("the first group")


def url_encode(text: str) -> str:
    """Percent-encode all but letters, digits and ``-._~``."""
    return quote(text, safe="", errors="replace")


def url_decode(text: str) -> Any:
    """Decode percent-encoding; ``+`` is not a space."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return Unreadable("a percent-encoded text that is not UTF-8 (url_decode)")


def query_parameter(url: str, name: str) -> Any:
    """The first parameter of that name."""
    try:
        pairs = parse_qsl(
            urlsplit(url).query, keep_blank_values=True, max_num_fields=1000
        )
    except ValueError as error:
        return Unreadable(f"a text that is not a URL ({error}) (query_parameter)")
    return next(
        (value for key, value in pairs if key == name), Missing(f"the parameter {name}")
    )


def html_escape(text: str) -> str:
    """Write ``&``, ``<``, ``>`` and quotes as HTML does."""
    from html import escape  # noqa: PLC0415 - brings a table of all entities in

    return escape(text)


def html_unescape(text: str) -> str:
    """Read ``&amp;`` and the like."""
    from html import unescape  # noqa: PLC0415 - as above

    return unescape(text)


# Each element is compared with those that were kept.
_MOST = 5000


def first(values: Sequence[Any]) -> Any:
    """The first element."""
    return nth(values, 0)


def last(values: Sequence[Any]) -> Any:
    """The last element."""
    return nth(values, -1)


def nth(values: Sequence[Any], index: int) -> Any:
    """The element at ``index``, from the end if below 0."""
    inside = -len(values) <= index < len(values)
    return values[index] if inside else Missing(f"element {index} of {len(values)}")


def sort(values: Sequence[Any]) -> Any:
    """The elements in order."""
    kinds = {kind_of(each) for each in values}
    if len(kinds) > 1 or not kinds <= {Kind.STRING, Kind.NUMBER}:
        return Unreadable("an array that is neither all strings nor all numbers (sort)")
    if any(each != each for each in values):  # noqa: PLR0124 - NaN
        return Unreadable("an array with NaN, which has no order (sort)")
    return sorted(values)


def unique(values: Sequence[Any]) -> Any:
    """Each element once, at its first place."""
    kept: list[Any] = []
    if len(values) > _MOST:
        return Unreadable(f"an array of more than {_MOST} elements (unique)")
    for each in values:
        if not any(same(each, other) for other in kept):
            kept.append(each)
    return kept


def join(values: Sequence[Any], between: str) -> Any:
    """The elements as one text; numbers are written as in JSON."""
    if any(kind_of(each) not in {Kind.STRING, Kind.NUMBER} for each in values):
        return Unreadable("an array of more than strings and numbers (join)")
    if len(between) * len(values) > 2**23:
        return Unreadable("an array that is too long (join)")
    return between.join(str(each) for each in values)
