"""Queries: the parts of a response that an assertion or a capture reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hookgate.assertions import conversions, markup, values
from hookgate.assertions.conversions import to_date, to_integer
from hookgate.assertions.values import Kind, Missing, Octets, Seconds, Unreadable
from hookgate.http.request import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One ``Set-Cookie``; the names of ``attributes`` are in lower case."""

    name: str
    value: str
    attributes: Mapping[str, str]


def read_cookie(line: str) -> Cookie | None:
    """Read a ``Set-Cookie``; None for what a browser ignores."""
    pair, *rest = line.split(";")
    name, sign, value = pair.partition("=")
    if not sign or not name.strip():
        return None
    attributes = {
        key.strip().lower(): text.strip()
        for key, _, text in (each.partition("=") for each in rest)
    }
    return Cookie(name=name.strip(), value=value.strip(), attributes=attributes)


def find_cookie(lines: Sequence[str], name: str) -> Cookie | Missing:
    """The cookie of that name, the last one if it is set twice."""
    cookies = [read_cookie(each) for each in lines]
    own = [each for each in cookies if each and each.name == name]
    return own[-1] if own else Missing("the cookie")


def value_of(lines: Sequence[str], name: str) -> Any:
    """The value of a cookie."""
    found = find_cookie(lines, name)
    return found if isinstance(found, Missing) else found.value


def attribute_of(lines: Sequence[str], name: str, attribute: str) -> Any:
    """An attribute of a cookie; ``Secure`` and ``HttpOnly`` are true or missing."""
    found = find_cookie(lines, name)
    if isinstance(found, Missing):
        return found
    text = found.attributes.get(attribute.lower())
    if text is None:
        return Missing(f"its attribute {attribute}")
    if attribute in {"Secure", "HttpOnly"}:
        return True
    if attribute == "Expires":
        return to_date(text)
    return to_integer(text) if attribute == "Max-Age" else text


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


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryType:
    """One query; ``gives`` is the kind of its values, None if it depends."""

    does: str
    gives: Kind | None
    read: Callable[..., Any]
    several: bool = False


def _header(reply: Reply, name: str) -> Any:
    value = reply.header(name)
    return Missing("the header") if value is None else value


def _json(reply: Reply, path: Any) -> QueryResult:
    found = values.places(values.read_json(reply.body), path)
    places = tuple((f"body at {where}", value) for where, value in found)
    return QueryResult(f"body at {path}", places, not path.singular_query())


def _markup(reply: Reply, expression: Any, attribute: str | None = None) -> QueryResult:
    root = markup.read_markup(reply.body, reply.header("Content-Type"))
    value = markup.chosen(root, expression, attribute)
    written = getattr(expression, "css", None) or expression.path
    where = f"body at {written}"
    if not isinstance(value, list):
        return QueryResult(where, ((where, value),))
    places = ((f"{where} [{index}]", each) for index, each in enumerate(value))
    return QueryResult(where, tuple(places), several=True)


def _cookie(reply: Reply, name: str, attribute: str | None = None) -> Any:
    if attribute is None:
        return value_of(reply.cookies, name)
    return attribute_of(reply.cookies, name, attribute)


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
        does="a header, in any case; several of one name are joined by a comma",
        gives=_TEXT,
        read=_header,
    ),
    "cookie": QueryType(
        does="the cookie of this name that the response sets, or one of its attributes",
        gives=_TEXT,
        read=_cookie,
    ),
    "jsonpath": QueryType(
        does="what a JSON path of RFC 9535 selects in the body", gives=None, read=_json
    ),
    "xpath": QueryType(
        does="what XPath 1.0 selects in a body of HTML or XML; elements are texts",
        gives=None,
        read=_markup,
    ),
    "css": QueryType(
        does="the texts of the elements that a CSS selector selects in HTML",
        gives=_TEXT,
        read=_markup,
        several=True,
    ),
    "regex": QueryType(
        does="the first group of the first match in the body, or the whole of it",
        gives=_TEXT,
        read=lambda reply, pattern: conversions.captured(reply.text, pattern),
    ),
    "hash": QueryType(
        does="the body's digest in hexadecimal, lower case",
        gives=_TEXT,
        read=lambda reply, name: conversions.digest(reply.body, name),
    ),
    "phase": QueryType(
        does="how long a part of the last exchange took",
        gives=Kind.DURATION,
        read=_phase,
    ),
    "certificate": QueryType(
        does="a field of the server's certificate", gives=_TEXT, read=_certificate
    ),
}

#: Queries without an argument, such as ``{duration: {below: 500ms}}``.
WITHOUT_ARGUMENT: Mapping[str, QueryType] = {
    "body": QueryType(
        does="the body as UTF-8 text", gives=_TEXT, read=lambda r: r.text
    ),
    "duration": QueryType(
        does="the time from connecting to the last byte of the body",
        gives=Kind.DURATION,
        read=lambda reply: Seconds(reply.duration),
    ),
    "status": QueryType(does="the status", gives=Kind.NUMBER, read=lambda r: r.status),
    "http_version": QueryType(
        does="1.0, 1.1 or 2, as text", gives=_TEXT, read=lambda r: r.http_version
    ),
    "bytes": QueryType(
        does="the body's bytes; a plan writes bytes in hexadecimal",
        gives=Kind.BYTES,
        read=lambda reply: reply.body,
    ),
    "size": QueryType(
        does="the body's size",
        gives=Kind.SIZE,
        read=lambda reply: Octets(len(reply.body)),
    ),
    "redirects": QueryType(
        does="the locations of the redirects that were followed, in order",
        gives=Kind.ARRAY,
        read=lambda reply: [each.location for each in reply.redirects],
    ),
    "url": QueryType(
        does="the URL of the response, after all redirects",
        gives=_TEXT,
        read=lambda reply: reply.url or Missing("the URL"),
    ),
    "peer": QueryType(
        does="the IP address that responded", gives=_TEXT, read=lambda reply: reply.peer
    ),
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
        where = " ".join(self._words())
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

    def _words(self) -> Iterator[str]:
        yield self.name
        if self.argument is not None:
            yield str(getattr(self.argument, "pattern", self.argument))
        if self.attribute is not None:
            yield self.attribute
