"""Entries of ``expect``: a query of an answer, and what must hold for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.expectation.arguments import HASHES, did_you_mean
from hookgate.expectation.json_text import JsonPath
from hookgate.expectation.markup import Css, XPath
from hookgate.expectation.must import CONFIG, Must, absent, told
from hookgate.expectation.predicate import Inner
from hookgate.expectation.queries import ATTRIBUTES, FIELDS, NAMED, PLAIN, RULES
from hookgate.expectation.query import Query
from hookgate.model import Finding
from hookgate.probe import Reply
from hookgate.units import Pattern

_GIVE_ONE = (
    f"give one of {', '.join(RULES)}, such as {{header: Content-Type, contains: json}}"
)
ONE_QUERY = ConfigDict(
    json_schema_extra={"oneOf": [{"required": [name]} for name in RULES]}
)


def _named(name: str) -> Any:
    said = NAMED[name].does
    return Field(default_factory=absent, description=f"{said[0].upper()}{said[1:]}.")


def plain(name: str) -> Any:
    """The field of a query without an argument."""
    said = PLAIN[name].does
    return Field(default_factory=absent, description=f"{said[0].upper()}{said[1:]}.")


class Named(BaseModel):
    """The queries that take an argument."""

    model_config = CONFIG

    header: str = _named("header")
    jsonpath: JsonPath = _named("jsonpath")
    cookie: str = _named("cookie")
    xpath: XPath = _named("xpath")
    css: Css = _named("css")
    regex: Pattern = _named("regex")
    hash: Literal[HASHES] = _named("hash")  # type: ignore[valid-type] # a table has them
    phase: Literal["resolve", "connect", "tls", "processing", "transfer"] = _named(
        "phase"
    )
    certificate: Literal[tuple(FIELDS)] = _named("certificate")  # type: ignore[valid-type] # as above
    attribute: str = Field(
        default_factory=absent,
        min_length=1,
        description="Of a cookie, or of the elements of a CSS selector.",
    )

    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, value: object) -> object:
        if not isinstance(value, dict | BaseModel):
            raise InvalidValue(_GIVE_ONE, code=Code.OPTION_ONE_OF)
        return value


class Expectation(Named, Must):
    """One entry of ``expect``: a query, filters if any, and one predicate.

    A query with an argument has the rest beside it, one without has it inside.
    """

    model_config = ONE_QUERY

    body: Must = plain("body")
    duration: Must = plain("duration")
    status: Must = plain("status")
    http_version: Must = plain("http_version")
    bytes: Must = plain("bytes")
    size: Must = plain("size")
    redirects: Must = plain("redirects")
    url: Must = plain("url")
    peer: Must = plain("peer")

    _query: Query = PrivateAttr()
    _inner: Inner = PrivateAttr()

    @model_validator(mode="after")
    def _compile(self) -> Expectation:
        self._query = query_of(self)
        must: Must = self
        if self._query.name in PLAIN:
            must = getattr(self, self._query.name)
            nothing_beside(self, self._query.name, (*self.written, "filter"))
        self._inner = must.compiled(*self._query.kinds())
        return self

    def finding(self, reply: Reply) -> Finding:
        """State whether an answer is as expected; of several values the first not."""
        found, inner = self._query(reply), self._inner
        if not found.several or inner.takes_list:
            return told(found.where, found.value, inner)
        each = [told(where, value, inner) for where, value in found.places]
        return next((one for one in each if not one.ok), each[0])


def query_of(entry: Named) -> Query:
    """The one query of an entry.

    Raises:
        ValueError: there is none, there are several, or it does not fit.
    """
    given = [name for name in RULES if name in entry.model_fields_set]
    if len(given) != 1:
        raise InvalidValue(_GIVE_ONE, code=Code.OPTION_ONE_OF)
    name = given[0]
    attribute: str | None = entry.attribute
    if name == "cookie" and attribute is not None and attribute not in ATTRIBUTES:
        hint = did_you_mean(attribute, ATTRIBUTES)
        what = f"unknown attribute {attribute[:64]!r}{hint}"
        raise InvalidValue(what, code=Code.ASSERT_QUERY)
    if attribute is not None and name not in {"cookie", "css"}:
        raise InvalidValue(
            "attribute goes with cookie or css; leave it out", code=Code.OPTION_TOGETHER
        )
    argument = getattr(entry, name) if name in NAMED else None
    return Query(name=name, argument=argument, attribute=attribute)


def nothing_beside(entry: Named, query: str, others: Sequence[str]) -> None:
    """Demand that what belongs inside of a query does not stand beside it.

    Raises:
        ValueError: it does.
    """
    beside = [
        name for name in others if name in entry.model_fields_set or name == "not"
    ]
    if beside:
        raise InvalidValue(
            f"{beside[0]} of {query} stands inside of it: "
            f"{{{query}: {{{beside[0]}: …}}}}",
            code=Code.ASSERT_QUERY,
        )
