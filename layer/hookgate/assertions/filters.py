"""Filters: conversions of a value before it is checked or captured.

The module is imported with the first filter of a plan.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from hookgate.assertions import markup
from hookgate.assertions.queries import (
    HASHES,
    SIZED,
    TEXTUAL,
    Kind,
    Missing,
    Unreadable,
    captured,
    digest,
    encodable,
    json_path,
    kind_of,
    listed,
    not_finite,
    places,
    read_json,
    same,
    shown,
    text_argument,
    to_date,
    to_integer,
    to_number,
)
from hookgate.codes import Code
from hookgate.errors import InvalidValue, did_you_mean
from hookgate.units import pattern

#: The maximum number of characters in a result.
LARGEST = 8 * 2**20

# ``unique`` compares each element with those that were kept.
_MOST_UNIQUE = 5000

_DAY = 86400.0


def _nth(values: Sequence[Any], index: int) -> Any:
    inside = -len(values) <= index < len(values)
    return values[index] if inside else Missing(f"element {index} of {len(values)}")


def _sort(values: Sequence[Any]) -> Any:
    kinds = {kind_of(each) for each in values}
    if len(kinds) > 1 or not kinds <= {Kind.STRING, Kind.NUMBER}:
        return Unreadable("an array that is neither all strings nor all numbers (sort)")
    if any(each != each for each in values):  # noqa: PLR0124 - NaN
        return Unreadable("an array with NaN, which has no order (sort)")
    return sorted(values)


def _unique(values: Sequence[Any]) -> Any:
    if len(values) > _MOST_UNIQUE:
        return Unreadable(f"an array of more than {_MOST_UNIQUE} elements (unique)")
    kept: list[Any] = []
    for each in values:
        if not any(same(each, other) for other in kept):
            kept.append(each)
    return kept


def _join(values: Sequence[Any], between: str) -> Any:
    if any(kind_of(each) not in {Kind.STRING, Kind.NUMBER} for each in values):
        return Unreadable("an array of more than strings and numbers (join)")
    if len(between) * len(values) > LARGEST:
        return Unreadable("an array that is too long (join)")
    return between.join(str(each) for each in values)


def _replace(text: str, how: tuple[Any, str]) -> Any:
    """Replace a text or the matches of a pattern; the new text is taken literally."""
    old, new = how
    text = encodable(text)
    if isinstance(old, str):
        count = text.count(old)
    else:
        count = sum(1 for _ in old.finditer(text)) if new else 0
    if len(text) + count * len(new) > LARGEST:
        return Unreadable(f"more than {LARGEST} characters after replace")
    if isinstance(old, str):
        return text.replace(old, new)
    return old.sub(lambda _match: new, text)


def _url_decode(text: str) -> Any:
    """Decode percent-encoding; ``+`` is not a space."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return Unreadable("a percent-encoded text that is not UTF-8 (url_decode)")


def _query_parameter(url: str, name: str) -> Any:
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


def _base64_encode(value: str | bytes) -> str:
    raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    return base64.b64encode(raw).decode()


def _base64_decode(value: str) -> Any:
    """The text in base64 of RFC 4648, 4 or 5; padding may be left out."""
    text = "".join(value.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return Unreadable(f"{shown(value)}, which is not base64 (base64_decode)")
    return _utf8(raw, "base64_decode")


def _to_text(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return _utf8(value, "to_text") if isinstance(value, bytes) else json.dumps(value)


def _utf8(raw: bytes, name: str) -> Any:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return Unreadable(f"{shown(raw)}, which are not UTF-8 ({name})")


def _days_from_now(value: datetime) -> float:
    return (value - datetime.now(UTC)).total_seconds() / _DAY


def _at_path(value: Any, path: Any) -> Any:
    document = read_json(value) if isinstance(value, str) else value
    found = [each for _, each in places(document, path)]
    if path.singular_query() or isinstance(found[0], Missing | Unreadable):
        return found[0]
    return found


def _at_expression(value: str, expression: Callable[[Any], Any]) -> Any:
    root = markup.read_markup(value.encode("utf-8", "replace"), None)
    return markup.chosen(root, expression)


@dataclass(frozen=True, slots=True)
class FilterArgument:
    """The argument of a filter: words for it, its reader, and more JSON Schema."""

    what: str
    read: Callable[[Any], Any]
    schema: Mapping[str, Any]


def _index(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValue(
            "expected a whole number such as 2", code=Code.ASSERT_ARGUMENT
        )
    return value


def _separator(value: object) -> str:
    if not text_argument(value):
        raise InvalidValue(
            "the separator is empty; write at least one character",
            code=Code.ASSERT_ARGUMENT,
        )
    return str(value)


def _format(value: object) -> str:
    if "%" not in text_argument(value):
        raise InvalidValue(
            f"{value!r} is not a date format; for example '%d.%m.%Y'",
            code=Code.ASSERT_ARGUMENT,
        )
    return str(value)


def _hash(value: object) -> str:
    if value not in HASHES:
        raise InvalidValue(
            f"{value!r} is not one of {', '.join(HASHES)}", code=Code.ASSERT_ARGUMENT
        )
    return str(value)


def _replacement(value: object) -> tuple[Any, str]:
    match value:
        case {"text": old, "with": new, **rest} if not rest:
            return _separator(old), text_argument(new)
        case {"matches": old, "with": new, **rest} if not rest:
            return pattern(old), text_argument(new)
    raise InvalidValue(
        'write {text: "a", with: "b"} or {matches: "a+", with: "b"}',
        code=Code.OPTION_ONE_OF,
    )


_STRING_SCHEMA = {"type": "string"}

_REGEX_SCHEMA = {"type": "string", "format": "regex"}

_REPLACE_SCHEMA = {
    "type": "object",
    "properties": {
        "text": _STRING_SCHEMA,
        "matches": _REGEX_SCHEMA,
        "with": _STRING_SCHEMA,
    },
    "required": ["with"],
    "additionalProperties": False,
}

_HASH_SCHEMA = {"type": "string", "enum": list(HASHES)}

TEXT = FilterArgument("a text", text_argument, _STRING_SCHEMA)
SEPARATOR = FilterArgument("a text", _separator, _STRING_SCHEMA)
INDEX = FilterArgument("an index", _index, {"type": "integer"})
REPLACEMENT = FilterArgument("what to replace", _replacement, _REPLACE_SCHEMA)
PATTERN = FilterArgument("a regular expression", pattern, _REGEX_SCHEMA)
HASH = FilterArgument("an algorithm", _hash, _HASH_SCHEMA)
FORMAT = FilterArgument("a format of strptime", _format, _STRING_SCHEMA)
JSON_PATH = FilterArgument("a JSON path", json_path, _STRING_SCHEMA)
XPATH = FilterArgument("an XPath expression", markup.xpath, _STRING_SCHEMA)
CSS = FilterArgument("a CSS selector", markup.css, _STRING_SCHEMA)


@dataclass(frozen=True, slots=True)
class FilterType:
    """One filter: what it does, takes and returns; ``gives`` is None if it depends."""

    does: str
    takes: frozenset[Kind]
    gives: Kind | None
    apply: Callable[..., Any]
    argument: FilterArgument | None = None
    optional: bool = False


_TEXT, _NUMBER, _LIST, _DATE = Kind.STRING, Kind.NUMBER, Kind.ARRAY, Kind.DATE

_STRING = frozenset({_TEXT})

_ARRAY = frozenset({_LIST})

_OBJECT = frozenset({Kind.OBJECT})

_NUMERIC = frozenset({_TEXT, _NUMBER})

_SCALAR = frozenset({_TEXT, _NUMBER, Kind.BOOLEAN, Kind.NULL, _DATE, Kind.BYTES})

#: Every filter by its name.
FILTERS: Mapping[str, FilterType] = {
    "count": FilterType(
        "how many elements, keys, characters or bytes", SIZED, _NUMBER, len
    ),
    "first": FilterType("the first element", _ARRAY, None, lambda a: _nth(a, 0)),
    "last": FilterType("the last element", _ARRAY, None, lambda a: _nth(a, -1)),
    "nth": FilterType(
        "the element at this index; -1 is the last", _ARRAY, None, _nth, INDEX
    ),
    "sort": FilterType("in order; all texts or all numbers", _ARRAY, _LIST, _sort),
    "unique": FilterType("each element once", _ARRAY, _LIST, _unique),
    "join": FilterType(
        "the elements as one text, with this between them", _ARRAY, _TEXT, _join, TEXT
    ),
    "keys": FilterType("the keys", _OBJECT, _LIST, list),
    "values": FilterType("the values", _OBJECT, _LIST, lambda o: list(o.values())),
    "split": FilterType("the parts between this", _STRING, _LIST, str.split, SEPARATOR),
    "lower": FilterType("in lower case", _STRING, _TEXT, str.lower),
    "upper": FilterType("in upper case", _STRING, _TEXT, str.upper),
    "trim": FilterType("without white space at both ends", _STRING, _TEXT, str.strip),
    "replace": FilterType(
        "with every occurrence of a text or pattern replaced",
        _STRING,
        _TEXT,
        _replace,
        REPLACEMENT,
    ),
    "regex": FilterType(
        "the first group of the first match, or the whole of it",
        _STRING,
        _TEXT,
        captured,
        PATTERN,
    ),
    "url_encode": FilterType(
        "percent-encoded",
        _STRING,
        _TEXT,
        lambda text: quote(text, safe="", errors="replace"),
    ),
    "url_decode": FilterType("percent-decoded", _STRING, _TEXT, _url_decode),
    "query_parameter": FilterType(
        "the parameter of this name in a URL's query",
        _STRING,
        _TEXT,
        _query_parameter,
        TEXT,
    ),
    "html_escape": FilterType("with HTML's signs escaped", _STRING, _TEXT, html.escape),
    "html_unescape": FilterType(
        "with &amp; and other entities decoded", _STRING, _TEXT, html.unescape
    ),
    "base64_encode": FilterType("as base64", TEXTUAL, _TEXT, _base64_encode),
    "base64_decode": FilterType(
        "the UTF-8 text in base64, either alphabet", _STRING, _TEXT, _base64_decode
    ),
    "hash": FilterType("the digest in hexadecimal", TEXTUAL, _TEXT, digest, HASH),
    "to_number": FilterType("the number in a text", _NUMERIC, _NUMBER, to_number),
    "to_integer": FilterType(
        "the whole number that a text or number is", _NUMERIC, _NUMBER, to_integer
    ),
    "to_text": FilterType(
        "a number, boolean, null, date or UTF-8 bytes as text", _SCALAR, _TEXT, _to_text
    ),
    "to_date": FilterType(
        "the date in a text (ISO 8601, HTTP's, or this format), or of Unix seconds",
        frozenset({_TEXT, _NUMBER, _DATE}),
        _DATE,
        to_date,
        FORMAT,
        True,
    ),
    "days_from_now": FilterType(
        "how many days until then; below 0 in the past",
        frozenset({_DATE}),
        _NUMBER,
        _days_from_now,
    ),
    "jsonpath": FilterType(
        "what a JSON path selects, also in a JSON text; if several, an array",
        frozenset({_TEXT, _LIST, Kind.OBJECT}),
        None,
        _at_path,
        JSON_PATH,
    ),
    "xpath": FilterType(
        "what an XPath expression selects in HTML; elements are an array of texts",
        _STRING,
        None,
        _at_expression,
        XPATH,
    ),
    "css": FilterType(
        "the texts of the elements that a CSS selector selects in HTML",
        _STRING,
        _LIST,
        _at_expression,
        CSS,
    ),
}


@dataclass(frozen=True, slots=True)
class CompiledFilter:
    """A filter with its argument, as a plan has it."""

    name: str
    written: Any
    argument: tuple[Any, ...] = ()

    @property
    def type(self) -> FilterType:
        """What the filter does, takes and returns."""
        return FILTERS[self.name]

    def __call__(self, value: Any) -> Any:
        """Apply the filter; a missing or unreadable value is returned unchanged."""
        if isinstance(value, Missing | Unreadable):
            return value
        takes = self.type.takes
        if not_finite(value) or kind_of(value) not in takes:
            return Unreadable(f"{shown(value)}; {self.name} takes {listed(takes)}")
        try:
            made = self.type.apply(value, *self.argument)
        except RecursionError:
            return Unreadable(f"a value that is nested too deeply for {self.name}")
        if isinstance(made, str | bytes) and len(made) > LARGEST:
            return Unreadable(f"more than {LARGEST} characters after {self.name}")
        return made


def step(written: object) -> CompiledFilter:
    """Read ``lower`` or ``{split: ","}``.

    Raises:
        ValueError: there is no such filter, or its argument is wrong.
    """
    given: Sequence[Any] = ()
    match written:
        case CompiledFilter():
            return written
        case str() as name:
            pass
        case dict() if len(written) == 1:
            name, *given = next(iter(written.items()))
        case _:
            raise InvalidValue(
                'a filter is its name, or one key such as {split: ","}',
                code=Code.ASSERT_FILTER,
            )
    rule = FILTERS.get(name)
    if rule is None:
        raise InvalidValue(
            f"unknown filter {name[:64]!r}{did_you_mean(name, FILTERS)}",
            code=Code.ASSERT_FILTER,
        )
    what, argument = "", rule.argument
    if given and not argument:
        what = f"{name} takes no argument; write it alone: {name}"
    if argument and not given and not rule.optional:
        what = f"{name} needs {argument.what}; write {{{name}: …}}"
    if what:
        raise InvalidValue(what, code=Code.ASSERT_ARGUMENT)
    try:
        read = tuple(argument.read(each) for each in given) if argument else ()
    except ValueError as error:
        raise InvalidValue.within(name, error) from None
    return CompiledFilter(name, written, read)


def _json_schema() -> dict[str, Any]:
    alone = [n for n, each in FILTERS.items() if not each.argument or each.optional]
    given = {
        name: {**each.argument.schema, "description": each.does}
        for name, each in FILTERS.items()
        if each.argument
    }
    return {
        "anyOf": [
            {"type": "string", "enum": alone},
            {
                "type": "object",
                "properties": given,
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ]
    }


#: One filter of a plan.
Filter = Annotated[
    Any,
    BeforeValidator(step),
    PlainSerializer(lambda each: each.written),
    WithJsonSchema(_json_schema()),
]
