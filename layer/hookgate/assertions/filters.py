"""Filters: conversions of a value before it is checked or captured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from hookgate.assertions import conversions
from hookgate.assertions.conversions import to_date
from hookgate.assertions.markup import css, xpath
from hookgate.assertions.values import (
    Kind,
    Missing,
    Octets,
    Seconds,
    Unreadable,
    json_path,
    kind_of,
    listed,
    not_finite,
    shown,
)
from hookgate.codes import Code
from hookgate.errors import InvalidValue, did_you_mean
from hookgate.units import duration, pattern, size

#: The digests that there are.
HASHES = ("md5", "sha1", "sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterArgument:
    """The argument of a filter: words for it, its reader and its JSON Schema."""

    what: str
    read: Callable[[Any], Any]
    schema: Mapping[str, Any]


def text(value: object) -> str:
    """Check that an argument is text.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, str):
        raise InvalidValue("expected text; put it in quotes", code=Code.ASSERT_ARGUMENT)
    return value


def number(value: object) -> float:
    """Check that an argument is a number.

    Raises:
        ValueError: it is something else, such as a boolean.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValue(
            "expected a number; write it without quotes and unit",
            code=Code.ASSERT_ARGUMENT,
        )
    return value


def whole(value: object) -> int:
    """Check that an argument is a whole number.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValue(
            "expected a whole number such as 2", code=Code.ASSERT_ARGUMENT
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
            f"{value!r} is not hexadecimal; write bytes in quotes, such as '89 50 4e'",
            code=Code.ASSERT_ARGUMENT,
        ) from None


def of_kind(kind: Kind | None, value: object) -> Any:
    """Read the value in a plan that a value of ``kind`` is compared with.

    Raises:
        ValueError: it is of another kind, or has no unit.
    """
    read = _READ.get(kind) if kind else None
    return read(value) if read else value


def _separator(value: object) -> str:
    if not text(value):
        raise InvalidValue(
            "the separator is empty; write at least one character",
            code=Code.ASSERT_ARGUMENT,
        )
    return str(value)


def _format(value: object) -> str:
    if "%" not in text(value):
        raise InvalidValue(
            f"{value!r} is not a date format; for example '%d.%m.%Y'",
            code=Code.ASSERT_ARGUMENT,
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

_STRING_SCHEMA = {"type": "string"}

_REPLACE = {
    "type": "object",
    "properties": {
        "text": _STRING_SCHEMA,
        "matches": {**_STRING_SCHEMA, "format": "regex"},
        "with": _STRING_SCHEMA,
    },
    "required": ["with"],
    "additionalProperties": False,
}

TEXT = FilterArgument(what="a text", read=text, schema=_STRING_SCHEMA)

SEPARATOR = FilterArgument(what="a text", read=_separator, schema=_STRING_SCHEMA)

INDEX = FilterArgument(what="an index", read=whole, schema={"type": "integer"})

REPLACEMENT = FilterArgument(what="what to replace", read=_replacement, schema=_REPLACE)

PATTERN = FilterArgument(
    what="a regular expression",
    read=pattern,
    schema={**_STRING_SCHEMA, "format": "regex"},
)

HASH = FilterArgument(
    what="an algorithm", read=_hash, schema={**_STRING_SCHEMA, "enum": list(HASHES)}
)

FORMAT = FilterArgument(
    what="a format of strptime", read=_format, schema=_STRING_SCHEMA
)

JSON_PATH = FilterArgument(what="a JSON path", read=json_path, schema=_STRING_SCHEMA)

XPATH = FilterArgument(what="an XPath expression", read=xpath, schema=_STRING_SCHEMA)

CSS = FilterArgument(what="a CSS selector", read=css, schema=_STRING_SCHEMA)

_STRING = frozenset({Kind.STRING})

_ARRAY = frozenset({Kind.ARRAY})

_TEXTUAL = frozenset({Kind.STRING, Kind.BYTES})

_SIZED = frozenset({Kind.STRING, Kind.ARRAY, Kind.OBJECT, Kind.BYTES})

_JSON = frozenset({Kind.STRING, Kind.ARRAY, Kind.OBJECT})

_SCALAR = frozenset(
    {Kind.STRING, Kind.NUMBER, Kind.BOOLEAN, Kind.NULL, Kind.DATE, Kind.BYTES}
)


@dataclass(frozen=True, slots=True)
class FilterType:
    """One filter: what it does, takes and returns; ``gives`` is None if it depends."""

    does: str
    takes: frozenset[Kind]
    gives: Kind | None
    apply: Callable[..., Any]
    argument: FilterArgument | None = None
    optional: bool = False


_TEXT, _NUMBER = Kind.STRING, Kind.NUMBER

#: Every filter by its name.
FILTERS: Mapping[str, FilterType] = {
    "count": FilterType(
        "how many elements, keys, characters or bytes", _SIZED, _NUMBER, len
    ),
    "first": FilterType("the first element", _ARRAY, None, conversions.first),
    "last": FilterType("the last element", _ARRAY, None, conversions.last),
    "nth": FilterType(
        "the element at this index; -1 is the last",
        _ARRAY,
        None,
        conversions.nth,
        INDEX,
    ),
    "sort": FilterType(
        "in order; all texts or all numbers", _ARRAY, Kind.ARRAY, conversions.sort
    ),
    "unique": FilterType("each element once", _ARRAY, Kind.ARRAY, conversions.unique),
    "join": FilterType(
        "the elements as one text, with this between them",
        _ARRAY,
        _TEXT,
        conversions.join,
        TEXT,
    ),
    "keys": FilterType("the keys", frozenset({Kind.OBJECT}), Kind.ARRAY, list),
    "values": FilterType(
        "the values",
        frozenset({Kind.OBJECT}),
        Kind.ARRAY,
        lambda value: list(value.values()),
    ),
    "split": FilterType(
        "the parts between this", _STRING, Kind.ARRAY, str.split, SEPARATOR
    ),
    "lower": FilterType("in lower case", _STRING, _TEXT, str.lower),
    "upper": FilterType("in upper case", _STRING, _TEXT, str.upper),
    "trim": FilterType("without white space at both ends", _STRING, _TEXT, str.strip),
    "replace": FilterType(
        "with every occurrence of a text or pattern replaced",
        _STRING,
        _TEXT,
        conversions.replace,
        REPLACEMENT,
    ),
    "regex": FilterType(
        "the first group of the first match, or the whole of it",
        _STRING,
        _TEXT,
        conversions.captured,
        PATTERN,
    ),
    "url_encode": FilterType("percent-encoded", _STRING, _TEXT, conversions.url_encode),
    "url_decode": FilterType("percent-decoded", _STRING, _TEXT, conversions.url_decode),
    "query_parameter": FilterType(
        "the parameter of this name in a URL's query",
        _STRING,
        _TEXT,
        conversions.query_parameter,
        TEXT,
    ),
    "html_escape": FilterType(
        "with HTML's signs escaped", _STRING, _TEXT, conversions.html_escape
    ),
    "html_unescape": FilterType(
        "with &amp; and other entities decoded",
        _STRING,
        _TEXT,
        conversions.html_unescape,
    ),
    "base64_encode": FilterType(
        "as base64", _TEXTUAL, _TEXT, conversions.base64_encode
    ),
    "base64_decode": FilterType(
        "the UTF-8 text in base64, either alphabet",
        _STRING,
        _TEXT,
        conversions.base64_decode,
    ),
    "hash": FilterType(
        "the digest in hexadecimal", _TEXTUAL, _TEXT, conversions.digest, HASH
    ),
    "to_number": FilterType(
        "the number in a text",
        frozenset({Kind.STRING, Kind.NUMBER}),
        _NUMBER,
        conversions.to_number,
    ),
    "to_integer": FilterType(
        "the whole number that a text or number is",
        frozenset({Kind.STRING, Kind.NUMBER}),
        _NUMBER,
        conversions.to_integer,
    ),
    "to_text": FilterType(
        "a number, boolean, null, date or UTF-8 bytes as text",
        _SCALAR,
        _TEXT,
        conversions.to_text,
    ),
    "to_date": FilterType(
        "the date in a text (ISO 8601, HTTP's, or this format), or of Unix seconds",
        frozenset({Kind.STRING, Kind.NUMBER, Kind.DATE}),
        Kind.DATE,
        conversions.to_date,
        FORMAT,
        True,
    ),
    "days_from_now": FilterType(
        "how many days until then; below 0 in the past",
        frozenset({Kind.DATE}),
        _NUMBER,
        conversions.days_from_now,
    ),
    "jsonpath": FilterType(
        "what a JSON path selects, also in a JSON text; if several, an array",
        _JSON,
        None,
        conversions.at_path,
        JSON_PATH,
    ),
    "xpath": FilterType(
        "what an XPath expression selects in HTML; elements are an array of texts",
        _STRING,
        None,
        conversions.at_expression,
        XPATH,
    ),
    "css": FilterType(
        "the texts of the elements that a CSS selector selects in HTML",
        _STRING,
        Kind.ARRAY,
        conversions.at_expression,
        CSS,
    ),
}

#: The maximum number of filters in a chain, and of characters in a result.
MOST = 20

LARGEST = 8 * 2**20


@dataclass(frozen=True, slots=True)
class CompiledFilter:
    """A filter with its argument, as a plan has it."""

    name: str
    written: Any
    argument: tuple[Any, ...]

    def __call__(self, value: Any) -> Any:
        """Apply the filter; a missing or unreadable value is returned unchanged."""
        if isinstance(value, Missing | Unreadable):
            return value
        rule = FILTERS[self.name]
        if not_finite(value) or kind_of(value) not in rule.takes:
            return Unreadable(f"{shown(value)}; {self.name} takes {listed(rule.takes)}")
        try:
            made = rule.apply(value, *self.argument)
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
    if isinstance(written, CompiledFilter):
        return written
    name, given = _parts(written)
    rule = FILTERS.get(name)
    if rule is None:
        raise InvalidValue(
            f"unknown filter {name[:64]!r}{did_you_mean(name, FILTERS)}",
            code=Code.ASSERT_FILTER,
        )
    if not given:
        if rule.argument and not rule.optional:
            raise InvalidValue(
                f"{name} needs {rule.argument.what}; write {{{name}: …}}",
                code=Code.ASSERT_ARGUMENT,
            )
        return CompiledFilter(name, written, ())
    if rule.argument is None:
        raise InvalidValue(
            f"{name} takes no argument; write it alone: {name}",
            code=Code.ASSERT_ARGUMENT,
        )
    try:
        return CompiledFilter(name, written, (rule.argument.read(given[0]),))
    except ValueError as error:
        raise InvalidValue.within(name, error) from None


def check_chain(steps: Sequence[CompiledFilter], kind: Kind | None) -> Kind | None:
    """Return the kind of the chain's result, None if it depends on the value.

    Raises:
        ValueError: a filter does not take the kind of value that it would get.
    """
    before = "the query"
    for each in steps:
        rule = FILTERS[each.name]
        if kind is not None and kind not in rule.takes:
            raise InvalidValue(
                f"{each.name} takes {listed(rule.takes)}, but {before} returns "
                f"{listed([kind])}",
                code=Code.ASSERT_KIND,
            )
        kind, before = rule.gives, each.name
    return kind


def _parts(written: object) -> tuple[str, tuple[Any, ...]]:
    if isinstance(written, str):
        return written, ()
    if isinstance(written, dict) and len(written) == 1:
        name, argument = next(iter(written.items()))
        return str(name), (argument,)
    raise InvalidValue(
        'a filter is its name, or one key such as {split: ","}', code=Code.ASSERT_FILTER
    )


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
