"""Entries of ``expect``: a query of an answer, and what must hold for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    WithJsonSchema,
    model_validator,
)

from hookgate.assertions import predicates
from hookgate.assertions.filters import (
    HASHES,
    MOST,
    Filter,
    Step,
    check_chain,
    did_you_mean,
)
from hookgate.assertions.markup import Css, XPath
from hookgate.assertions.predicates import Inner, Predicate, argument_for
from hookgate.assertions.queries import ATTRIBUTES, FIELDS, NAMED, PLAIN, RULES, Query
from hookgate.assertions.values import JsonPath, Kind, Missing, Unreadable
from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.http.request import Reply
from hookgate.model import Finding
from hookgate.units import Pattern

CONFIG = ConfigDict(
    frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
)

_MOST = 1000


def absent() -> Any:
    """Stands for a key that was left out; the schema shows no default."""
    return None


def _bound(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InvalidValue(
            "a bound is a number, a date, or has a unit such as 500ms",
            code=Code.OPTION_BOUND,
        )
    return value


_Bound = Annotated[
    Any,
    BeforeValidator(_bound),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]}),
]

_Strictly = Annotated[bool, Field(strict=True)]

_Length = Annotated[
    int,
    Field(ge=0, strict=True),
    # A variable of a scenario is a text until it has its value.
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": r"^\{\{.+\}\}$"},
            ]
        }
    ),
]

Filters = Annotated[tuple[Filter, ...], Field(min_length=1, max_length=MOST)]

FILTERS = "What is made of the value first, step by step."


class Must(BaseModel):
    """What a value must be: filters, if any, and one predicate."""

    model_config = CONFIG

    filter: Filters = Field(default_factory=absent, description=FILTERS)
    equals: Any = Field(default_factory=absent, description="It is exactly this.")
    differs: Any = Field(
        default_factory=absent, description="It is there, and is not this."
    )
    above: _Bound = Field(default_factory=absent, description="It is more than this.")
    below: _Bound = Field(default_factory=absent, description="It is less than this.")
    at_least: _Bound = Field(default_factory=absent, description="It is this or more.")
    at_most: _Bound = Field(default_factory=absent, description="It is this or less.")
    between: tuple[_Bound, _Bound] = Field(
        default_factory=absent, description="It is one of these two or in between."
    )
    contains: Any = Field(
        default_factory=absent, description="This text, element or key is in it."
    )
    starts: str = Field(default_factory=absent, description="It begins with this.")
    ends: str = Field(default_factory=absent, description="It ends with this.")
    matches: Pattern = Field(
        default_factory=absent, description="The regular expression is found in it."
    )
    one_of: tuple[Any, ...] = Field(
        default_factory=absent,
        min_length=1,
        max_length=_MOST,
        description="It is one of these.",
    )
    exists: _Strictly = Field(
        default_factory=absent, description="It is there, or with false it is not."
    )
    is_null: _Strictly = Field(
        default_factory=absent, description="It is null, or with false it is not."
    )
    is_empty: _Strictly = Field(
        default_factory=absent,
        description="Its text, array or object is empty, or with false it is not.",
    )
    has_type: Literal[predicates.TYPES] = Field(  # type: ignore[valid-type] # the table has them
        default_factory=absent, description="It is of this type."
    )
    has_length: _Length = Field(
        default_factory=absent,
        description="It has so many characters, elements, keys or bytes.",
    )
    each: Must = Field(
        default_factory=absent,
        description="There are elements, and this holds for every one.",
    )
    any: Must = Field(
        default_factory=absent, description="This holds for at least one element."
    )
    not_: Must = Field(
        default_factory=absent,
        alias="not",
        description="This can be told of the value, and does not hold.",
    )

    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, value: object) -> object:
        if not isinstance(value, dict | BaseModel):
            said = value if isinstance(value, str | int | float) else "…"
            raise InvalidValue(
                f"say what must hold, such as {{equals: {said}}}",
                code=Code.ASSERT_PREDICATE,
            )
        return value

    def compiled(self, kind: Kind | None, whole: Kind | None = None) -> Inner:
        """The filters and the predicate for a value of ``kind``, None if not known.

        Args:
            kind: of the value, or of each value where there are several.
            whole: of all of them together; what filters, ``each`` and ``any`` get.

        Raises:
            ValueError: there is not one predicate, or it does not fit the value.
        """
        name = self._name()
        written: Sequence[Step] | None = self.filter
        steps = written or ()
        if whole is not None and self._takes_list():
            kind = whole
        kind = check_chain(steps, kind)
        return Inner(tuple(steps), _predicate(name, getattr(self, _field(name)), kind))

    @property
    def written(self) -> tuple[str, ...]:
        """The predicates that are there."""
        return tuple(
            each for each in predicates.NAMES if _field(each) in self.model_fields_set
        )

    def _takes_list(self) -> bool:
        inner: Must | None = self.not_
        listed = predicates.OF_LISTS.intersection(self.written)
        return bool(self.filter or listed or (inner and inner._takes_list()))  # noqa: SLF001 - its own kind

    def _name(self) -> str:
        if len(self.written) != 1:
            raise InvalidValue(
                f"give one of {', '.join(predicates.NAMES)}", code=Code.OPTION_ONE_OF
            )
        return self.written[0]


def _field(name: str) -> str:
    return "not_" if name == "not" else name


def _predicate(name: str, written: Any, kind: Kind | None) -> Predicate:
    if name in predicates.OF_LISTS:
        argument_for(name, None, kind)
        return Predicate(name, _inner(name, written, None))
    if name == "not":
        return Predicate(name, _inner(name, written, kind))
    return Predicate(name, argument_for(name, written, kind))


def _inner(name: str, written: Must, kind: Kind | None) -> Inner:
    try:
        return written.compiled(kind)
    except ValueError as error:
        raise InvalidValue.within(name, error) from None


def told(where: str, value: Any, inner: Inner) -> Finding:
    """State whether a value is as it must be, what was expected and what came."""
    names = ", ".join(each.name for each in inner.steps)
    for step in inner.steps:
        value = step(value)
    ok = inner.predicate.weigh(value) is True
    code = Code.ASSERT_VALUE
    if not ok and isinstance(value, Missing):
        code = Code.ASSERT_MISSING
    if not ok and isinstance(value, Unreadable):
        code = Code.ASSERT_UNREADABLE
    return Finding(
        ok=ok,
        code=code,
        summary=f"{where}{f', then {names}' if names else ''}: expected "
        f"{inner.predicate.expected}, came {inner.predicate.came(value)}",
    )


def _checked(must: Must) -> Must:
    must.compiled(None)
    return must


#: What a value of unknown kind must be, for validators whose answer is no HTTP.
ValueIs = Annotated[Must, AfterValidator(_checked)]


def judge_value(must: Must, where: str, value: Any) -> Finding:
    """State whether a value meets ``must``; ``where`` names it in the finding.

    ``value`` is JSON, bytes, a date, ``Missing`` or ``Unreadable``.
    """
    return told(where, value, must.compiled(None))


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


class Filtered(BaseModel):
    """A query without an argument in a capture: nothing or filters."""

    model_config = CONFIG

    filter: Filters = Field(default_factory=absent, description=FILTERS)


class Capture(Named):
    """One entry of ``capture``: a query, and filters if any."""

    model_config = ONE_QUERY

    body: Filtered = plain("body")
    duration: Filtered = plain("duration")
    status: Filtered = plain("status")
    http_version: Filtered = plain("http_version")
    bytes: Filtered = plain("bytes")
    size: Filtered = plain("size")
    redirects: Filtered = plain("redirects")
    url: Filtered = plain("url")
    peer: Filtered = plain("peer")
    filter: Filters = Field(default_factory=absent, description=FILTERS)
    secret: bool = Field(
        False, strict=True, description="Whether the value must appear in no output."
    )

    _query: Query = PrivateAttr()
    _steps: Sequence[Step] = PrivateAttr()

    @model_validator(mode="after")
    def _compile(self) -> Capture:
        self._query = query_of(self)
        steps: Sequence[Step] | None = self.filter
        if self._query.name in PLAIN:
            steps = getattr(self, self._query.name).filter
            nothing_beside(self, self._query.name, ("filter",))
        self._steps = steps or ()
        kind, whole = self._query.kinds()
        check_chain(self._steps, whole or kind)
        return self

    def take(self, reply: Reply) -> tuple[str, Any]:
        """Where the value was looked for, and the value after the filters."""
        found = self._query(reply)
        value = found.value
        for step in self._steps:
            value = step(value)
        return found.where, value
