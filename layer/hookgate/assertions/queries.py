"""Queries: what may be asked of an answer, and what each brings."""

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
        key.strip().lower(): said.strip()
        for key, _, said in (each.partition("=") for each in rest)
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
    said = found.attributes.get(attribute.lower())
    if said is None:
        return Missing(f"its attribute {attribute}")
    if attribute in {"Secure", "HttpOnly"}:
        return True
    if attribute == "Expires":
        return to_date(said)
    return to_integer(said) if attribute == "Max-Age" else said


@dataclass(frozen=True, slots=True)
class Found:
    """Each place that a query leads to with its value, at least one.

    ``several`` says that the query can lead to more than one, even if it did not.
    """

    where: str
    places: tuple[tuple[str, Any], ...]
    several: bool = False

    @property
    def value(self) -> Any:
        """The one value; of a query for several the array of them, unless none."""
        first = self.places[0][1]
        if not self.several or isinstance(first, Missing | Unreadable):
            return first
        return [value for _, value in self.places]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One query; ``gives`` is what each of its places holds, None if it depends."""

    does: str
    gives: Kind | None
    ask: Callable[..., Any]
    several: bool = False


def _header(reply: Reply, name: str) -> Any:
    value = reply.header(name)
    return Missing("the header") if value is None else value


def _json(reply: Reply, path: Any) -> Found:
    found = values.places(values.read_json(reply.body), path)
    places = tuple((f"body at {where}", value) for where, value in found)
    return Found(f"body at {path}", places, not path.singular_query())


def _markup(reply: Reply, expression: Any, attribute: str | None = None) -> Found:
    root = markup.read_markup(reply.body, reply.header("Content-Type"))
    value = markup.chosen(root, expression, attribute)
    written = getattr(expression, "css", None) or expression.path
    where = f"body at {written}"
    if not isinstance(value, list):
        return Found(where, ((where, value),))
    places = ((f"{where} [{index}]", each) for index, each in enumerate(value))
    return Found(where, tuple(places), several=True)


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
        return Missing("the certificate of an answer without TLS")
    value = getattr(reply.certificate, name)
    return list(value) if isinstance(value, tuple) else value


_TEXT = Kind.STRING

#: What is asked of an answer by more than a name: ``{header: Content-Type, …}``.
NAMED: Mapping[str, Rule] = {
    "header": Rule(
        does="a header, in any case; several of one name are joined by a comma",
        gives=_TEXT,
        ask=_header,
    ),
    "cookie": Rule(
        does="the cookie of this name that the answer sets, or one of its attributes",
        gives=_TEXT,
        ask=_cookie,
    ),
    "jsonpath": Rule(
        does="what a JSON path of RFC 9535 leads to in the body", gives=None, ask=_json
    ),
    "xpath": Rule(
        does="what XPath 1.0 leads to in a body of HTML or XML; elements are texts",
        gives=None,
        ask=_markup,
    ),
    "css": Rule(
        does="the texts of the elements that a CSS selector leads to in HTML",
        gives=_TEXT,
        ask=_markup,
        several=True,
    ),
    "regex": Rule(
        does="the first group of the first match in the body, or the whole of it",
        gives=_TEXT,
        ask=lambda reply, pattern: conversions.captured(reply.text, pattern),
    ),
    "hash": Rule(
        does="the body's digest in hexadecimal, lower case",
        gives=_TEXT,
        ask=lambda reply, name: conversions.digest(reply.body, name),
    ),
    "phase": Rule(
        does="how long a part of the last exchange took",
        gives=Kind.DURATION,
        ask=_phase,
    ),
    "certificate": Rule(
        does="a field of the server's certificate", gives=_TEXT, ask=_certificate
    ),
}

#: What there is only one of: ``{duration: {below: 500ms}}``.
PLAIN: Mapping[str, Rule] = {
    "body": Rule(does="the body as UTF-8 text", gives=_TEXT, ask=lambda r: r.text),
    "duration": Rule(
        does="the time from connecting to the last byte of the body",
        gives=Kind.DURATION,
        ask=lambda reply: Seconds(reply.duration),
    ),
    "status": Rule(does="the status", gives=Kind.NUMBER, ask=lambda r: r.status),
    "http_version": Rule(
        does="1.0, 1.1 or 2, as text", gives=_TEXT, ask=lambda r: r.http_version
    ),
    "bytes": Rule(
        does="the body's bytes; a plan writes bytes in hexadecimal",
        gives=Kind.BYTES,
        ask=lambda reply: reply.body,
    ),
    "size": Rule(
        does="the body's size",
        gives=Kind.SIZE,
        ask=lambda reply: Octets(len(reply.body)),
    ),
    "redirects": Rule(
        does="where the redirects that were followed led, in order",
        gives=Kind.ARRAY,
        ask=lambda reply: [each.location for each in reply.redirects],
    ),
    "url": Rule(
        does="the URL that answered, after all redirects",
        gives=_TEXT,
        ask=lambda reply: reply.url or Missing("the URL"),
    ),
    "peer": Rule(
        does="the address that answered", gives=_TEXT, ask=lambda reply: reply.peer
    ),
}

RULES: Mapping[str, Rule] = {**NAMED, **PLAIN}

#: What ``attribute`` may be of a cookie, and the kind of each.
ATTRIBUTES = {
    "Expires": Kind.DATE,
    "Max-Age": Kind.NUMBER,
    "Domain": _TEXT,
    "Path": _TEXT,
    "Secure": Kind.BOOLEAN,
    "HttpOnly": Kind.BOOLEAN,
    "SameSite": _TEXT,
}

#: What ``certificate`` may be, and the kind of each.
FIELDS = {
    "subject": _TEXT,
    "issuer": _TEXT,
    "names": Kind.ARRAY,
    "not_before": Kind.DATE,
    "not_after": Kind.DATE,
    "serial": _TEXT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query with its argument, as a plan has it."""

    name: str
    argument: Any = None
    attribute: str | None = None

    def __call__(self, reply: Reply) -> Found:
        """Ask it of an answer."""
        given = [each for each in (self.argument, self.attribute) if each is not None]
        found = RULES[self.name].ask(reply, *given)
        if isinstance(found, Found):
            return found
        where = " ".join(self._words())
        return Found(where, ((where, found),))

    def kinds(self) -> tuple[Kind | None, Kind | None]:
        """The kind of each value, and of all together where they can be several.

        None where that depends on the answer, or where there is only one.
        """
        if self.name == "jsonpath":
            return None, None if self.argument.singular_query() else Kind.ARRAY
        if self.name == "certificate":
            return FIELDS[self.argument], None
        if self.name == "cookie" and self.attribute:
            return ATTRIBUTES[self.attribute], None
        rule = RULES[self.name]
        return rule.gives, Kind.ARRAY if rule.several else None

    def _words(self) -> Iterator[str]:
        yield self.name
        if self.argument is not None:
            yield str(getattr(self.argument, "pattern", self.argument))
        if self.attribute is not None:
            yield self.attribute
