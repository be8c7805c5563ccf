"""The values that assertions and captures read from a response, and their kinds.

NaN, null, empty, missing and unreadable are five different values.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.http.request import Reply
from hookgate.redaction import masked
from hookgate.units import duration, pattern, seconds_text, size

if TYPE_CHECKING:
    from jsonpath import JSONPath

_SHOWN = 200


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


class Kind(StrEnum):
    """The kind of a value, its words in a sentence, and its types in Python.

    The kinds are those of JSON, and four more.
    """

    words: str
    types: tuple[type, ...]

    def __new__(cls, value: str, words: str, *types: type) -> Self:
        """Make a member from its value, its words and its types."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.words, member.types = words, types
        return member

    STRING = "string", "a string", str
    NUMBER = "number", "a number", int, float
    BOOLEAN = "boolean", "a boolean", bool
    NULL = "null", "null", NoneType
    ARRAY = "array", "an array", list, tuple
    OBJECT = "object", "an object", dict
    BYTES = "bytes", "bytes", bytes
    DATE = "date", "a date", datetime
    DURATION = "duration", "a duration", Seconds
    SIZE = "size", "a size", Octets


#: The kinds that have a length.
SIZED = frozenset({Kind.STRING, Kind.ARRAY, Kind.OBJECT, Kind.BYTES})

TEXTUAL = frozenset({Kind.STRING, Kind.BYTES})

_OF_TYPE = {each: kind for kind in Kind for each in kind.types}


def kind_of(value: Any) -> Kind:
    """The kind of a value that is neither missing nor unreadable."""
    return next(_OF_TYPE[each] for each in type(value).__mro__ if each in _OF_TYPE)


def not_finite(value: Any) -> bool:
    """Whether it is NaN or infinite, which Python reads although JSON has neither."""
    return isinstance(value, float) and not math.isfinite(value)


def listed(kinds: Iterable[Kind]) -> str:
    """Name kinds in a sentence: ``a string, an array or bytes``."""
    names = [kind.words for kind in Kind if kind in set(kinds)]
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def shown(value: Any) -> str:
    """Show a value in a message, bounded; the special values differ from each other."""
    if isinstance(value, Missing):
        return f"nothing: {value.what} is missing"
    if isinstance(value, Unreadable):
        return value.why
    if value == "":
        return 'an empty text ("")'
    text = _written(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def _written(value: Any) -> str:
    if not_finite(value):
        if math.isnan(value):
            return "NaN, which is not a number and equals nothing"
        return "Infinity, which is not a number in JSON"
    if isinstance(value, Seconds):
        return seconds_text(value)
    if isinstance(value, Octets):
        return f"{int(value)} B"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, bytes):
        return f"the bytes {masked(value.hex())[: 2 * _SHOWN]}" if value else "no bytes"
    try:
        # Masked before it is cut: a mask does not know half a secret.
        return masked(json.dumps(value, ensure_ascii=False, default=str))
    except RecursionError:
        return f"{kind_of(value).words} that is nested too deeply to be shown"


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


@lru_cache(maxsize=100)
def _expression(text: str) -> Any:
    """The regular expression of a function of a JSON path, in linear time."""
    from jsonpath import JSONPathError  # noqa: PLC0415 - a plan may not use it

    try:
        return pattern(text)
    except ValueError as error:
        raise JSONPathError(str(error), token=None) from None


def json_path(value: object) -> JSONPath:
    """Compile a JSON path of RFC 9535.

    Raises:
        ValueError: it does not compile.
    """
    import jsonpath  # noqa: PLC0415 - a plan may not use it

    if isinstance(value, jsonpath.JSONPath):
        return value
    what = "a JSON path is text such as $.status"
    if isinstance(value, str):
        what = f"{value!r} is not a JSON path: it begins with $"
        if value.startswith("$"):
            try:
                environment = jsonpath.JSONPathEnvironment(strict=True)
                for name in ("match", "search"):  # with Python's engine by default
                    function: Any = environment.function_extensions[name]
                    function.check_cache = _expression
                compiled = environment.compile(value)
                if isinstance(compiled, jsonpath.JSONPath):
                    return compiled
                what = f"{value!r} is not a single JSON path"
            except jsonpath.JSONPathError as error:
                # The library's own text may fail to build for an error at the end.
                reason = error.args[0]
                what = f"{value!r} is not a JSON path such as $.status: {reason}"
    raise InvalidValue(what, code=Code.ASSERT_QUERY)


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


_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")

_MOST_DIGITS = 400


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


#: The algorithms of ``digest``.
HASHES = ("md5", "sha1", "sha256", "sha384", "sha512")


def digest(value: str | bytes, algorithm: str) -> str:
    """The digest in hexadecimal, lower case."""
    raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    return hashlib.new(algorithm, raw, usedforsecurity=False).hexdigest()


def captured(text: str, pattern: Any) -> Any:
    """The first group of the first match, or the whole of it."""
    found = pattern.search(encodable(text))
    if found is None:
        return Missing(f"a match of {pattern.pattern}")
    if not pattern.groups:
        return found.group()
    return found.group(1) if found.group(1) is not None else Missing("the first group")


def text_argument(value: object) -> str:
    """Check that a plan has text.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, str):
        raise InvalidValue("expected text; put it in quotes", code=Code.ASSERT_ARGUMENT)
    return value


def of_kind(kind: Kind | None, value: object) -> Any:
    """Read the value in a plan that a value of ``kind`` is compared with.

    Dates are written as ``2026-01-31`` or ``2026-01-31T12:00:00Z``, bytes in
    hexadecimal as ``89 50 4e 47``.

    Raises:
        ValueError: it is of another kind, or has no unit.
    """
    match kind:
        case Kind.STRING:
            return text_argument(value)
        case Kind.DURATION:
            return Seconds(duration(value))
        case Kind.SIZE:
            return Octets(size(value))
        case Kind.NUMBER:
            if not isinstance(value, bool) and isinstance(value, int | float):
                return value
            what = "expected a number; write it without quotes and unit"
        case Kind.DATE:
            read = to_date(text_argument(value))
            if not isinstance(read, Unreadable):
                return read
            what = f"{value!r} is not a date; write 2026-01-31T12:00:00Z"
        case Kind.BYTES:
            try:
                return bytes.fromhex(text_argument(value))
            except ValueError:
                what = (
                    f"{value!r} is not hexadecimal; write bytes in quotes, such as "
                    "'89 50 4e'"
                )
        case _:
            return value
    raise InvalidValue(what, code=Code.ASSERT_ARGUMENT)


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The value at each place that a query selects, at least one.

    ``several`` is whether the query can select more than one, even if it did not.
    """

    where: str
    places: tuple[tuple[str, Any], ...]
    several: bool = False

    @property
    def value(self) -> Any:
        """The value; for a query that can select several, the list of them."""
        first = self.places[0][1]
        if not self.several or isinstance(first, Missing | Unreadable):
            return first
        return [value for _, value in self.places]


@dataclass(frozen=True, slots=True)
class QueryType:
    """One query; ``gives`` is the kind of its values, None if it depends."""

    does: str
    gives: Kind | None
    read: Callable[..., Any]
    several: bool = False


def _header(reply: Reply, name: str) -> Any:
    value = reply.header(name)
    return Missing("the header") if value is None else value


def _cookie(reply: Reply, name: str, attribute: str | None = None) -> Any:
    """The cookie, the last one if it is set twice, or one of its attributes.

    ``Secure`` and ``HttpOnly`` are true or missing.
    """
    own = [
        each
        for each in reply.cookies
        if "=" in each.partition(";")[0] and each.partition("=")[0].strip() == name
    ]
    if not own:
        return Missing("the cookie")
    (_, _, value), *rest = (each.partition("=") for each in own[-1].split(";"))
    if attribute is None:
        return value.strip()
    attributes = {key.strip().lower(): text.strip() for key, _, text in rest}
    found = attributes.get(attribute.lower())
    if found is None:
        return Missing(f"its attribute {attribute}")
    if attribute in {"Secure", "HttpOnly"}:
        return True
    if attribute == "Expires":
        return to_date(found)
    return to_integer(found) if attribute == "Max-Age" else found


def _json(reply: Reply, path: Any) -> QueryResult:
    found = places(read_json(reply.body), path)
    at = tuple((f"body at {where}", value) for where, value in found)
    return QueryResult(f"body at {path}", at, not path.singular_query())


def _markup(reply: Reply, expression: Any, attribute: str | None = None) -> QueryResult:
    from hookgate.assertions import markup  # noqa: PLC0415 - a plan may not use it

    root = markup.read_markup(reply.body, reply.header("Content-Type"))
    value = markup.chosen(root, expression, attribute)
    where = f"body at {getattr(expression, 'css', None) or expression.path}"
    if not isinstance(value, list):
        return QueryResult(where, ((where, value),))
    at = ((f"{where} [{index}]", each) for index, each in enumerate(value))
    return QueryResult(where, tuple(at), several=True)


def _phase(reply: Reply, name: str) -> Any:
    if reply.phases is None:
        return Missing("the measurement of its phases")
    return Seconds(getattr(reply.phases, name))


def _certificate(reply: Reply, name: str) -> Any:
    if reply.certificate is None:
        return Missing("the certificate of a response without TLS")
    value = getattr(reply.certificate, name)
    return list(value) if isinstance(value, tuple) else value


_TEXT = Kind.STRING

#: Queries with an argument, such as ``{header: Content-Type, …}``.
WITH_ARGUMENT: Mapping[str, QueryType] = {
    "header": QueryType(
        "a header, in any case; several of one name are joined by a comma",
        _TEXT,
        _header,
    ),
    "cookie": QueryType(
        "the cookie of this name that the response sets, or one of its attributes",
        _TEXT,
        _cookie,
    ),
    "jsonpath": QueryType(
        "what a JSON path of RFC 9535 selects in the body", None, _json
    ),
    "xpath": QueryType(
        "what XPath 1.0 selects in a body of HTML or XML; elements are texts",
        None,
        _markup,
    ),
    "css": QueryType(
        "the texts of the elements that a CSS selector selects in HTML",
        _TEXT,
        _markup,
        several=True,
    ),
    "regex": QueryType(
        "the first group of the first match in the body, or the whole of it",
        _TEXT,
        lambda reply, pattern: captured(reply.text, pattern),
    ),
    "hash": QueryType(
        "the body's digest in hexadecimal, lower case",
        _TEXT,
        lambda reply, name: digest(reply.body, name),
    ),
    "phase": QueryType(
        "how long a part of the last exchange took", Kind.DURATION, _phase
    ),
    "certificate": QueryType(
        "a field of the server's certificate", _TEXT, _certificate
    ),
}

#: Queries without an argument, such as ``{duration: {below: 500ms}}``.
WITHOUT_ARGUMENT: Mapping[str, QueryType] = {
    "body": QueryType("the body as UTF-8 text", _TEXT, lambda reply: reply.text),
    "duration": QueryType(
        "the time from connecting to the last byte of the body",
        Kind.DURATION,
        lambda reply: Seconds(reply.duration),
    ),
    "status": QueryType("the status", Kind.NUMBER, lambda reply: reply.status),
    "http_version": QueryType(
        "1.0, 1.1 or 2, as text", _TEXT, lambda reply: reply.http_version
    ),
    "bytes": QueryType(
        "the body's bytes; a plan writes bytes in hexadecimal",
        Kind.BYTES,
        lambda reply: reply.body,
    ),
    "size": QueryType(
        "the body's size", Kind.SIZE, lambda reply: Octets(len(reply.body))
    ),
    "redirects": QueryType(
        "the locations of the redirects that were followed, in order",
        Kind.ARRAY,
        lambda reply: [each.location for each in reply.redirects],
    ),
    "url": QueryType(
        "the URL of the response, after all redirects",
        _TEXT,
        lambda reply: reply.url or Missing("the URL"),
    ),
    "peer": QueryType("the IP address that responded", _TEXT, lambda reply: reply.peer),
}

QUERIES: Mapping[str, QueryType] = {**WITH_ARGUMENT, **WITHOUT_ARGUMENT}

#: The attributes of a cookie, and the kind of each.
ATTRIBUTES = {
    "Expires": Kind.DATE,
    "Max-Age": Kind.NUMBER,
    "Domain": _TEXT,
    "Path": _TEXT,
    "Secure": Kind.BOOLEAN,
    "HttpOnly": Kind.BOOLEAN,
    "SameSite": _TEXT,
}

#: The fields of a certificate, and the kind of each.
FIELDS = {
    "subject": _TEXT,
    "issuer": _TEXT,
    "names": Kind.ARRAY,
    "not_before": Kind.DATE,
    "not_after": Kind.DATE,
    "serial": _TEXT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledQuery:
    """A query with its argument."""

    name: str
    argument: Any = None
    attribute: str | None = None

    def __call__(self, reply: Reply) -> QueryResult:
        """Read the values from a response."""
        given = [each for each in (self.argument, self.attribute) if each is not None]
        found = QUERIES[self.name].read(reply, *given)
        if isinstance(found, QueryResult):
            return found
        words = (str(getattr(each, "pattern", each)) for each in given)
        where = " ".join((self.name, *words))
        return QueryResult(where, ((where, found),))

    def kinds(self) -> tuple[Kind | None, Kind | None]:
        """The kind of each value, and of all values together if there can be several.

        None if it depends on the response, or if there is only one value.
        """
        if self.name == "jsonpath":
            return None, None if self.argument.singular_query() else Kind.ARRAY
        if self.name == "certificate":
            return FIELDS[self.argument], None
        if self.name == "cookie" and self.attribute:
            return ATTRIBUTES[self.attribute], None
        rule = QUERIES[self.name]
        return rule.gives, Kind.ARRAY if rule.several else None
