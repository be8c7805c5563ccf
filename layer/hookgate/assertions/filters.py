"""Filters: what can be made of a value before it is judged or kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from hookgate.errors import InvalidValue
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

TEXT = Argument(what="a text", read=text, schema=_STRING_SCHEMA)

SEPARATOR = Argument(what="a text", read=_separator, schema=_STRING_SCHEMA)

INDEX = Argument(what="an index", read=whole, schema={"type": "integer"})

REPLACEMENT = Argument(what="what to replace", read=_replacement, schema=_REPLACE)

PATTERN = Argument(
    what="a regular expression",
    read=pattern,
    schema={**_STRING_SCHEMA, "format": "regex"},
)

HASH = Argument(
    what="an algorithm", read=_hash, schema={**_STRING_SCHEMA, "enum": list(HASHES)}
)

FORMAT = Argument(what="a format of strptime", read=_format, schema=_STRING_SCHEMA)

JSON_PATH = Argument(what="a JSON path", read=json_path, schema=_STRING_SCHEMA)

XPATH = Argument(what="an XPath expression", read=xpath, schema=_STRING_SCHEMA)

CSS = Argument(what="a CSS selector", read=css, schema=_STRING_SCHEMA)

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
    "first": _rule("the first element", _ARRAY, None, conversions.first),
    "last": _rule("the last element", _ARRAY, None, conversions.last),
    "nth": _rule(
        "the element at this index; -1 is the last",
        _ARRAY,
        None,
        conversions.nth,
        INDEX,
    ),
    "sort": _rule(
        "in order; all texts or all numbers", _ARRAY, Kind.ARRAY, conversions.sort
    ),
    "unique": _rule("each element once", _ARRAY, Kind.ARRAY, conversions.unique),
    "join": _rule(
        "the elements as one text, with this between them",
        _ARRAY,
        _TEXT,
        conversions.join,
        TEXT,
    ),
    "keys": _rule("the keys", frozenset({Kind.OBJECT}), Kind.ARRAY, list),
    "values": _rule(
        "the values",
        frozenset({Kind.OBJECT}),
        Kind.ARRAY,
        lambda value: list(value.values()),
    ),
    "split": _rule("the parts between this", _STRING, Kind.ARRAY, str.split, SEPARATOR),
    "lower": _rule("in lower case", _STRING, _TEXT, str.lower),
    "upper": _rule("in upper case", _STRING, _TEXT, str.upper),
    "trim": _rule("without white space at both ends", _STRING, _TEXT, str.strip),
    "replace": _rule(
        "with every occurrence of a text or pattern replaced",
        _STRING,
        _TEXT,
        conversions.replace,
        REPLACEMENT,
    ),
    "regex": _rule(
        "the first group of the first match, or the whole of it",
        _STRING,
        _TEXT,
        conversions.captured,
        PATTERN,
    ),
    "url_encode": _rule("percent-encoded", _STRING, _TEXT, conversions.url_encode),
    "url_decode": _rule("percent-decoded", _STRING, _TEXT, conversions.url_decode),
    "query_parameter": _rule(
        "the parameter of this name in a URL's query",
        _STRING,
        _TEXT,
        conversions.query_parameter,
        TEXT,
    ),
    "html_escape": _rule(
        "with HTML's signs escaped", _STRING, _TEXT, conversions.html_escape
    ),
    "html_unescape": _rule(
        "with &amp; and the like read", _STRING, _TEXT, conversions.html_unescape
    ),
    "base64_encode": _rule("as base64", _TEXTUAL, _TEXT, conversions.base64_encode),
    "base64_decode": _rule(
        "the UTF-8 text in base64, either alphabet",
        _STRING,
        _TEXT,
        conversions.base64_decode,
    ),
    "hash": _rule(
        "the digest in hexadecimal", _TEXTUAL, _TEXT, conversions.digest, HASH
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
        FORMAT,
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
        JSON_PATH,
    ),
    "xpath": _rule(
        "what an XPath expression leads to in HTML; elements are an array of texts",
        _STRING,
        None,
        conversions.at_expression,
        XPATH,
    ),
    "css": _rule(
        "the texts of the elements that a CSS selector leads to in HTML",
        _STRING,
        Kind.ARRAY,
        conversions.at_expression,
        CSS,
    ),
}

#: More than anybody chains, and the most that a text may grow to.
MOST = 20

LARGEST = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Step:
    """A filter with its argument, as a plan has it."""

    name: str
    written: Any
    argument: tuple[Any, ...]

    def __call__(self, value: Any) -> Any:
        """Apply it; a value that is missing or unreadable stays so."""
        if isinstance(value, Missing | Unreadable):
            return value
        rule = RULES[self.name]
        if not_finite(value) or kind_of(value) not in rule.takes:
            return Unreadable(
                f"{shown(value)}, and {self.name} takes {listed(rule.takes)}"
            )
        try:
            made = rule.apply(value, *self.argument)
        except RecursionError:
            return Unreadable(f"a value that is nested too deeply for {self.name}")
        if isinstance(made, str | bytes) and len(made) > LARGEST:
            return Unreadable(f"more than {LARGEST} characters after {self.name}")
        return made


def step(written: object) -> Step:
    """Read ``lower`` or ``{split: ","}``.

    Raises:
        ValueError: there is no such filter, or its argument is wrong.
    """
    if isinstance(written, Step):
        return written
    name, given = _parts(written)
    rule = RULES.get(name)
    if rule is None:
        raise InvalidValue(
            f"unknown filter {name[:64]!r}{did_you_mean(name, RULES)}",
            code=Code.ASSERT_FILTER,
        )
    if not given:
        if rule.argument and not rule.optional:
            raise InvalidValue(
                f"{name} needs {rule.argument.what}; write {{{name}: …}}",
                code=Code.ASSERT_ARGUMENT,
            )
        return Step(name, written, ())
    if rule.argument is None:
        raise InvalidValue(
            f"{name} takes no argument; write it alone: {name}",
            code=Code.ASSERT_ARGUMENT,
        )
    try:
        return Step(name, written, (rule.argument.read(given[0]),))
    except ValueError as error:
        raise InvalidValue.within(name, error) from None


def check_chain(steps: Sequence[Step], kind: Kind | None) -> Kind | None:
    """The kind that comes out when ``kind`` goes in, as far as it can be known.

    Raises:
        ValueError: a filter is given what it does not take.
    """
    before = "the query"
    for each in steps:
        rule = RULES[each.name]
        if kind is not None and kind not in rule.takes:
            raise InvalidValue(
                f"{each.name} takes {listed(rule.takes)}, and {before} gives "
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
    alone = [n for n, each in RULES.items() if not each.argument or each.optional]
    given = {
        name: {**each.argument.schema, "description": each.does}
        for name, each in RULES.items()
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
