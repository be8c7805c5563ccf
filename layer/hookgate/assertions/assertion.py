"""Entries of ``expect`` and ``capture``: a query, filters, a predicate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import (
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
    CompiledFilter,
    Filter,
    check_chain,
)
from hookgate.assertions.markup import Css, XPath
from hookgate.assertions.predicates import (
    CompiledPredicate,
    FilteredPredicate,
    argument_for,
)
from hookgate.assertions.queries import (
    ATTRIBUTES,
    FIELDS,
    QUERIES,
    WITH_ARGUMENT,
    WITHOUT_ARGUMENT,
    CompiledQuery,
)
from hookgate.assertions.values import JsonPath, Kind, Missing, Unreadable
from hookgate.codes import Code
from hookgate.errors import InvalidValue, did_you_mean
from hookgate.http.request import Reply
from hookgate.model import Finding
from hookgate.units import Pattern

CONFIG = ConfigDict(
    frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
)

_MOST = 1000


def absent() -> Any:
    """Return the value of a key that was left out; the schema shows no default."""
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

_FILTER = "Filters applied to the value first, in order."


class Predicate(BaseModel):
    """One predicate, and filters that are applied before it."""

    model_config = CONFIG

    filter: Filters = Field(default_factory=absent, description=_FILTER)
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
        description="It has this number of characters, elements, keys or bytes.",
    )
    each: Predicate = Field(
        default_factory=absent,
        description="There are elements, and each satisfies this.",
    )
    any: Predicate = Field(
        default_factory=absent, description="At least one element satisfies this."
    )
    not_: Predicate = Field(
        default_factory=absent,
        alias="not",
        description="The value can be compared with this, and does not satisfy it.",
    )

    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, value: object) -> object:
        if not isinstance(value, dict | BaseModel):
            example = value if isinstance(value, str | int | float) else "…"
            raise InvalidValue(
                f"a predicate is missing; write {{equals: {example}}}",
                code=Code.ASSERT_PREDICATE,
            )
        return value

    def compiled(
        self, kind: Kind | None, whole: Kind | None = None
    ) -> FilteredPredicate:
        """Compile the filters and the predicate for a value of ``kind``.

        Args:
            kind: the kind of the value, or of each of several; None if not known.
            whole: the kind of several values together, for filters and predicates of
                lists.

        Raises:
            ValueError: there is not one predicate, or it does not take the value.
        """
        if len(self.written) != 1:
            names = ", ".join(predicates.NAMES)
            raise InvalidValue(f"give one of {names}", code=Code.OPTION_ONE_OF)
        name = self.written[0]
        written: Sequence[CompiledFilter] | None = self.filter
        steps = written or ()
        if whole is not None and self._takes_list():
            kind = whole
        kind = check_chain(steps, kind)
        return FilteredPredicate(
            tuple(steps), _predicate(name, getattr(self, _field(name)), kind)
        )

    @property
    def written(self) -> tuple[str, ...]:
        """The names of the predicates that were given."""
        return tuple(
            each for each in predicates.NAMES if _field(each) in self.model_fields_set
        )

    def _takes_list(self) -> bool:
        inner: Predicate | None = self.not_
        listed = predicates.OF_LISTS.intersection(self.written)
        return bool(self.filter or listed or (inner and inner._takes_list()))  # noqa: SLF001 - its own kind


def _field(name: str) -> str:
    return "not_" if name == "not" else name


def _predicate(name: str, written: Any, kind: Kind | None) -> CompiledPredicate:
    if name in predicates.OF_LISTS:
        argument_for(name, None, kind)
        return CompiledPredicate(name, _inner(name, written, None))
    if name == "not":
        return CompiledPredicate(name, _inner(name, written, kind))
    return CompiledPredicate(name, argument_for(name, written, kind))


def _inner(name: str, written: Predicate, kind: Kind | None) -> FilteredPredicate:
    try:
        return written.compiled(kind)
    except ValueError as error:
        raise InvalidValue.within(name, error) from None


def _finding(where: str, value: Any, inner: FilteredPredicate) -> Finding:
    """Report whether a value satisfies a predicate, with both in words."""
    names = ", ".join(each.name for each in inner.steps)
    for step in inner.steps:
        value = step(value)
    ok = inner.predicate.evaluate(value) is True
    code = Code.ASSERT_VALUE
    if not ok and isinstance(value, Missing):
        code = Code.ASSERT_MISSING
    if not ok and isinstance(value, Unreadable):
        code = Code.ASSERT_UNREADABLE
    return Finding(
        ok=ok,
        code=code,
        summary=f"{where}{f', then {names}' if names else ''}: expected "
        f"{inner.predicate.expected}, got {inner.predicate.actual(value)}",
    )


_GIVE_ONE = f"give one of {', '.join(QUERIES)}, such as {{header: Date, exists: true}}"

ONE_QUERY = ConfigDict(
    json_schema_extra={"oneOf": [{"required": [name]} for name in QUERIES]}
)


def _query_field(name: str) -> Any:
    text = QUERIES[name].does
    return Field(default_factory=absent, description=f"{text[0].upper()}{text[1:]}.")


class QueryWithArgument(BaseModel):
    """The queries that take an argument."""

    model_config = CONFIG

    header: str = _query_field("header")
    jsonpath: JsonPath = _query_field("jsonpath")
    cookie: str = _query_field("cookie")
    xpath: XPath = _query_field("xpath")
    css: Css = _query_field("css")
    regex: Pattern = _query_field("regex")
    hash: Literal[HASHES] = _query_field("hash")  # type: ignore[valid-type] # a table has them
    phase: Literal["resolve", "connect", "tls", "processing", "transfer"] = (
        _query_field("phase")
    )
    certificate: Literal[tuple(FIELDS)] = _query_field("certificate")  # type: ignore[valid-type] # as above
    attribute: str = Field(
        default_factory=absent,
        min_length=1,
        description="An attribute of the cookie, or of the elements of a CSS selector.",
    )

    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, value: object) -> object:
        if not isinstance(value, dict | BaseModel):
            raise InvalidValue(_GIVE_ONE, code=Code.OPTION_ONE_OF)
        return value


class Assertion(QueryWithArgument, Predicate):
    """One entry of ``expect``: a query, filters if any, and one predicate.

    With an argument, the query stands beside the predicate, else around it.
    """

    model_config = ONE_QUERY

    body: Predicate = _query_field("body")
    duration: Predicate = _query_field("duration")
    status: Predicate = _query_field("status")
    http_version: Predicate = _query_field("http_version")
    bytes: Predicate = _query_field("bytes")
    size: Predicate = _query_field("size")
    redirects: Predicate = _query_field("redirects")
    url: Predicate = _query_field("url")
    peer: Predicate = _query_field("peer")

    _query: CompiledQuery = PrivateAttr()
    _inner: FilteredPredicate = PrivateAttr()

    @model_validator(mode="after")
    def _compile(self) -> Assertion:
        self._query = _query_of(self)
        predicate: Predicate = self
        if self._query.name in WITHOUT_ARGUMENT:
            predicate = getattr(self, self._query.name)
            _refuse_beside(self, self._query.name, (*self.written, "filter"))
        self._inner = predicate.compiled(*self._query.kinds())
        return self

    def finding(self, reply: Reply) -> Finding:
        """Check a response; of several values, report the first failure."""
        found, inner = self._query(reply), self._inner
        if not found.several or inner.takes_list:
            return _finding(found.where, found.value, inner)
        each = [_finding(where, value, inner) for where, value in found.places]
        return next((one for one in each if not one.ok), each[0])


def _query_of(entry: QueryWithArgument) -> CompiledQuery:
    """Compile the one query of an entry.

    Raises:
        ValueError: there is none, there are several, or its attribute is wrong.
    """
    given = [name for name in QUERIES if name in entry.model_fields_set]
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
    argument = getattr(entry, name) if name in WITH_ARGUMENT else None
    return CompiledQuery(name=name, argument=argument, attribute=attribute)


def _refuse_beside(entry: QueryWithArgument, query: str, others: Sequence[str]) -> None:
    """Refuse keys beside a query without an argument; they belong inside it.

    Raises:
        ValueError: there is one.
    """
    beside = [
        name for name in others if name in entry.model_fields_set or name == "not"
    ]
    if beside:
        raise InvalidValue(
            f"{beside[0]} belongs inside {query}: {{{query}: {{{beside[0]}: …}}}}",
            code=Code.ASSERT_QUERY,
        )


class FilteredQuery(BaseModel):
    """A query without an argument in a capture: filters, if any."""

    model_config = CONFIG

    filter: Filters = Field(default_factory=absent, description=_FILTER)


class Capture(QueryWithArgument):
    """One entry of ``capture``: a query, and filters if any."""

    model_config = ONE_QUERY

    body: FilteredQuery = _query_field("body")
    duration: FilteredQuery = _query_field("duration")
    status: FilteredQuery = _query_field("status")
    http_version: FilteredQuery = _query_field("http_version")
    bytes: FilteredQuery = _query_field("bytes")
    size: FilteredQuery = _query_field("size")
    redirects: FilteredQuery = _query_field("redirects")
    url: FilteredQuery = _query_field("url")
    peer: FilteredQuery = _query_field("peer")
    filter: Filters = Field(default_factory=absent, description=_FILTER)
    secret: bool = Field(
        False, strict=True, description="Whether to mask the value in all output."
    )

    _query: CompiledQuery = PrivateAttr()
    _steps: Sequence[CompiledFilter] = PrivateAttr()

    @model_validator(mode="after")
    def _compile(self) -> Capture:
        self._query = _query_of(self)
        steps: Sequence[CompiledFilter] | None = self.filter
        if self._query.name in WITHOUT_ARGUMENT:
            steps = getattr(self, self._query.name).filter
            _refuse_beside(self, self._query.name, ("filter",))
        self._steps = steps or ()
        kind, whole = self._query.kinds()
        check_chain(self._steps, whole or kind)
        return self

    def take(self, reply: Reply) -> tuple[str, Any]:
        """Return where the value was read, and the value after the filters."""
        found = self._query(reply)
        value = found.value
        for step in self._steps:
            value = step(value)
        return found.where, value
