"""What filters do with texts."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from hookgate.expectation.value import Missing, Unreadable, encodable

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
    """Read percent-encoding; ``+`` stays as it is."""
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
        return Unreadable(f"a text that is no URL ({error}) (query_parameter)")
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
