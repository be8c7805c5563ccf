"""Filters: what can be made of a value before it is judged or kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hookgate.expectation import arguments, conversions, elements, texts
from hookgate.expectation.arguments import Argument
from hookgate.expectation.value import Kind

_STRING = frozenset({Kind.STRING})
_ARRAY = frozenset({Kind.ARRAY})
_TEXTUAL = frozenset({Kind.STRING, Kind.BYTES})
_SIZED = frozenset({Kind.STRING, Kind.ARRAY, Kind.OBJECT, Kind.BYTES})
_JSON = frozenset({Kind.STRING, Kind.ARRAY, Kind.OBJECT})
_SCALAR = frozenset(
    {Kind.STRING, Kind.NUMBER, Kind.BOOLEAN, Kind.NULL, Kind.DATE, Kind.BYTES}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One filter: what it is for, takes and gives; ``gives`` None if it depends."""

    does: str
    takes: frozenset[Kind]
    gives: Kind | None
    apply: Callable[..., Any]
    argument: Argument | None = None
    optional: bool = False


def _rule(  # noqa: PLR0913, PLR0917 - a row of a table
    does: str,
    takes: frozenset[Kind],
    gives: Kind | None,
    apply: Callable[..., Any],
    argument: Argument | None = None,
    optional: bool = False,
) -> Rule:
    return Rule(
        does=does,
        takes=takes,
        gives=gives,
        apply=apply,
        argument=argument,
        optional=optional,
    )


_TEXT, _NUMBER = Kind.STRING, Kind.NUMBER
#: Every filter by its name.
RULES: Mapping[str, Rule] = {
    "count": _rule(
        "how many elements, keys, characters or bytes", _SIZED, _NUMBER, len
    ),
    "first": _rule("the first element", _ARRAY, None, elements.first),
    "last": _rule("the last element", _ARRAY, None, elements.last),
    "nth": _rule(
        "the element at this index; -1 is the last",
        _ARRAY,
        None,
        elements.nth,
        arguments.INDEX,
    ),
    "sort": _rule(
        "in order; all texts or all numbers", _ARRAY, Kind.ARRAY, elements.sort
    ),
    "unique": _rule("each element once", _ARRAY, Kind.ARRAY, elements.unique),
    "join": _rule(
        "the elements as one text, with this between them",
        _ARRAY,
        _TEXT,
        elements.join,
        arguments.TEXT,
    ),
    "keys": _rule("the keys", frozenset({Kind.OBJECT}), Kind.ARRAY, list),
    "values": _rule(
        "the values",
        frozenset({Kind.OBJECT}),
        Kind.ARRAY,
        lambda value: list(value.values()),
    ),
    "split": _rule(
        "the parts between this", _STRING, Kind.ARRAY, str.split, arguments.SEPARATOR
    ),
    "lower": _rule("in lower case", _STRING, _TEXT, str.lower),
    "upper": _rule("in upper case", _STRING, _TEXT, str.upper),
    "trim": _rule("without white space at both ends", _STRING, _TEXT, str.strip),
    "replace": _rule(
        "with every occurrence of a text or pattern replaced",
        _STRING,
        _TEXT,
        texts.replace,
        arguments.REPLACEMENT,
    ),
    "regex": _rule(
        "the first group of the first match, or the whole of it",
        _STRING,
        _TEXT,
        texts.captured,
        arguments.PATTERN,
    ),
    "url_encode": _rule("percent-encoded", _STRING, _TEXT, texts.url_encode),
    "url_decode": _rule("percent-decoded", _STRING, _TEXT, texts.url_decode),
    "query_parameter": _rule(
        "the parameter of this name in a URL's query",
        _STRING,
        _TEXT,
        texts.query_parameter,
        arguments.TEXT,
    ),
    "html_escape": _rule(
        "with HTML's signs escaped", _STRING, _TEXT, texts.html_escape
    ),
    "html_unescape": _rule(
        "with &amp; and the like read", _STRING, _TEXT, texts.html_unescape
    ),
    "base64_encode": _rule("as base64", _TEXTUAL, _TEXT, conversions.base64_encode),
    "base64_decode": _rule(
        "the UTF-8 text in base64, either alphabet",
        _STRING,
        _TEXT,
        conversions.base64_decode,
    ),
    "hash": _rule(
        "the digest in hexadecimal", _TEXTUAL, _TEXT, conversions.digest, arguments.HASH
    ),
    "to_number": _rule(
        "the number that a text holds",
        frozenset({Kind.STRING, Kind.NUMBER}),
        _NUMBER,
        conversions.to_number,
    ),
    "to_integer": _rule(
        "the whole number that a text or number is",
        frozenset({Kind.STRING, Kind.NUMBER}),
        _NUMBER,
        conversions.to_integer,
    ),
    "to_text": _rule(
        "a number, boolean, null, date or UTF-8 bytes as text",
        _SCALAR,
        _TEXT,
        conversions.to_text,
    ),
    "to_date": _rule(
        "the date in a text (ISO 8601, HTTP's, or this format), or of Unix seconds",
        frozenset({Kind.STRING, Kind.NUMBER, Kind.DATE}),
        Kind.DATE,
        conversions.to_date,
        arguments.FORMAT,
        True,
    ),
    "days_from_now": _rule(
        "how many days until then; below 0 in the past",
        frozenset({Kind.DATE}),
        _NUMBER,
        conversions.days_from_now,
    ),
    "jsonpath": _rule(
        "what a JSON path leads to, also in a JSON text; if several, an array",
        _JSON,
        None,
        conversions.at_path,
        arguments.JSON_PATH,
    ),
    "xpath": _rule(
        "what an XPath expression leads to in HTML; elements are an array of texts",
        _STRING,
        None,
        conversions.at_expression,
        arguments.XPATH,
    ),
    "css": _rule(
        "the texts of the elements that a CSS selector leads to in HTML",
        _STRING,
        Kind.ARRAY,
        conversions.at_expression,
        arguments.CSS,
    ),
}
