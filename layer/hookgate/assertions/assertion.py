"""Entries of ``expect`` and ``capture``: a query, filters, a predicate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    WithJsonSchema,
    model_validator,
)

from hookgate.assertions.queries import (
    ATTRIBUTES,
    FIELDS,
    HASHES,
    QUERIES,
    SIZED,
    TEXTUAL,
    WITH_ARGUMENT,
    CompiledQuery,
    JsonPath,
    Kind,
    Missing,
    Unreadable,
    encodable,
    kind_of,
    listed,
    not_finite,
    of_kind,
    same,
    shown,
)
from hookgate.codes import Code
from hookgate.errors import InvalidValue, did_you_mean
from hookgate.http.request import Reply
from hookgate.model import Finding
from hookgate.units import Pattern, deferred

if TYPE_CHECKING:
    from hookgate.assertions.filters import CompiledFilter, Filter
    from hookgate.assertions.markup import Css, XPath
else:
    Filter = deferred("hookgate.assertions.filters", "Filter")
    XPath = deferred("hookgate.assertions.markup", "XPath")
    Css = deferred("hookgate.assertions.markup", "Css")

_ALL = frozenset(Kind)

_ORDERED = frozenset({Kind.NUMBER, Kind.DATE, Kind.DURATION, Kind.SIZE})


@dataclass(frozen=True, slots=True)
class PredicateType:
    """One predicate: its words in findings, the kinds it takes, and its check."""

    words: str
    takes: frozenset[Kind]
    check: Callable[[Any, Any], bool | None]


def _contains(value: Any, part: Any) -> bool | None:
    if isinstance(value, list | tuple):
        return any(same(each, part) for each in value)
    if isinstance(value, dict):
        return isinstance(part, str) and part in value
    return part in value if isinstance(part, type(value)) else None


def _begins(end: str) -> Callable[[Any, Any], bool | None]:
    def check(value: Any, part: Any) -> bool | None:
        return getattr(value, end)(part) if isinstance(part, type(value)) else None

    return check


def _has_type(value: Any, name: str) -> bool:
    if name == "integer":
        return kind_of(value) is Kind.NUMBER and value % 1 == 0
    return kind_of(value) == name


def _each(values: Any, inner: CompiledPredicate) -> bool | None:
    results = [inner.evaluate(each) for each in values]
    if False in results:
        return False
    return True if results and None not in results else None


def _any(values: Any, inner: CompiledPredicate) -> bool | None:
    results = [inner.evaluate(each) for each in values]
    if True in results:
        return True
    return None if None in results else False


#: Every predicate but ``exists`` and ``not``, which also take a missing value.
PREDICATES: Mapping[str, PredicateType] = {
    "equals": PredicateType("", _ALL, same),
    "differs": PredicateType("any value but", _ALL, lambda a, b: not same(a, b)),
    "above": PredicateType("more than", _ORDERED, lambda a, b: a > b),
    "below": PredicateType("less than", _ORDERED, lambda a, b: a < b),
    "at_least": PredicateType("at least", _ORDERED, lambda a, b: a >= b),
    "at_most": PredicateType("at most", _ORDERED, lambda a, b: a <= b),
    "between": PredicateType("between", _ORDERED, lambda a, b: b[0] <= a <= b[1]),
    "contains": PredicateType("to contain", SIZED, _contains),
    "starts": PredicateType("to start with", TEXTUAL, _begins("startswith")),
    "ends": PredicateType("to end with", TEXTUAL, _begins("endswith")),
    "matches": PredicateType(
        "to match",
        frozenset({Kind.STRING}),
        lambda a, b: b.search(encodable(a)) is not None,
    ),
    "one_of": PredicateType(
        "one of", _ALL, lambda a, b: any(same(a, each) for each in b)
    ),
    "is_null": PredicateType("", _ALL, lambda a, b: (a is None) is b),
    "is_empty": PredicateType("", SIZED, lambda a, b: (not a) is b),
    "has_type": PredicateType("the type", _ALL, _has_type),
    "has_length": PredicateType("the length", SIZED, lambda a, b: len(a) == b),
    "each": PredicateType("each element to be", frozenset({Kind.ARRAY}), _each),
    "any": PredicateType("an element to be", frozenset({Kind.ARRAY}), _any),
}

#: The names of all predicates.
NAMES = (*PREDICATES, "exists", "not")

_TYPES = (*(str(kind) for kind in Kind), "integer")

# The predicates that take all values of a query together, as a list.
_OF_LISTS = frozenset({"each", "any"})

_CHOICE = {
    "exists": {True: "a value", False: "no value"},
    "is_null": {True: "null", False: "not null"},
    "is_empty": {True: "an empty value", False: "not an empty value"},
}

_LISTED = {"between": " and ", "one_of": ", "}

_COMPARED = {"equals", "differs", "above", "below", "at_least", "at_most"}


@dataclass(frozen=True, slots=True)
class CompiledPredicate:
    """Filters, then a predicate; ``not``, ``each`` and ``any`` take another one."""

    name: str
    argument: Any
    steps: tuple[CompiledFilter, ...]

    def evaluate(self, value: Any) -> bool | None:
        """Whether ``value`` satisfies it after the filters.

        None if value and argument cannot be compared.
        """
        return self._check(self._filtered(value))

    def finding(self, where: str, value: Any) -> Finding:
        """Report whether a value satisfies it, with both in words."""
        value = self._filtered(value)
        ok = self._check(value) is True
        code = Code.ASSERT_VALUE
        if not ok and isinstance(value, Missing):
            code = Code.ASSERT_MISSING
        if not ok and isinstance(value, Unreadable):
            code = Code.ASSERT_UNREADABLE
        after = f", then {self._step_names}" if self.steps else ""
        summary = f"{where}{after}: expected {self._words}, got {self._actual(value)}"
        return Finding(ok=ok, code=code, summary=summary)

    @property
    def takes_list(self) -> bool:
        """Whether it takes all values of a query together."""
        inner = self.name == "not" and self.argument.takes_list
        return bool(self.steps) or self.name in _OF_LISTS or inner

    @property
    def expected(self) -> str:
        """The expected value in words, such as ``more than 3 after count``."""
        return self._words + (f" after {self._step_names}" if self.steps else "")

    @property
    def _step_names(self) -> str:
        return ", ".join(each.name for each in self.steps)

    def _filtered(self, value: Any) -> Any:
        for step in self.steps:
            value = step(value)
        return value

    def _check(self, value: Any) -> bool | None:
        if isinstance(value, Unreadable):
            return None
        if self.name == "not":
            inner = self.argument.evaluate(value)
            return None if inner is None else not inner
        if self.name == "exists":
            return isinstance(value, Missing) is not self.argument
        if isinstance(value, Missing) or not_finite(value):
            return None
        rule = PREDICATES[self.name]
        if kind_of(value) not in rule.takes:
            return None
        return rule.check(value, self.argument)

    @property
    def _words(self) -> str:
        if self.name == "not":
            return f"not {self.argument.expected}"
        if self.name in _CHOICE:
            return _CHOICE[self.name][bool(self.argument)]
        words = PREDICATES[self.name].words
        if self.name in _LISTED:
            return f"{words} {_LISTED[self.name].join(map(shown, self.argument))}"
        if isinstance(self.argument, CompiledPredicate):
            text = self.argument.expected
            words = words.removesuffix(" to be") if text.startswith("to ") else words
        elif self.name == "matches":
            text = self.argument.pattern
        else:
            text = shown(self.argument)
        return f"{words} {text}".lstrip()

    def _actual(self, value: Any) -> str:
        """The actual value in words, and why the predicate does not take it."""
        text, rule = shown(value), PREDICATES.get(self.name)
        if isinstance(value, Missing | Unreadable) or not_finite(value) or not rule:
            return text
        kind = kind_of(value)
        if kind in rule.takes:
            return text
        return f"{text}: {self.name} takes {listed(rule.takes)}, not {kind.words}"


def _kind_after(steps: Sequence[CompiledFilter], kind: Kind | None) -> Kind | None:
    """Return the kind of the filters' result, None if it depends on the value.

    Raises:
        ValueError: a filter does not take the kind of value that it would get.
    """
    before = "the query"
    for each in steps:
        if kind is not None and kind not in each.type.takes:
            raise InvalidValue(
                f"{each.name} takes {listed(each.type.takes)}, but {before} returns "
                f"{kind.words}",
                code=Code.ASSERT_KIND,
            )
        kind, before = each.type.gives, each.name
    return kind


CONFIG = ConfigDict(
    frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
)

_MOST = 1000

#: The maximum number of filters of a value.
MOST_FILTERS = 20


def _no_value() -> Any:
    return None


def _key(description: str, **bounds: Any) -> Any:
    """A key that may be left out; the schema shows no default."""
    return Field(default_factory=_no_value, description=description, **bounds)


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


def _field(name: str) -> str:
    return "not_" if name == "not" else name


class Filtered(BaseModel):
    """Filters, if any."""

    model_config = CONFIG

    filter: Annotated[
        tuple[Filter, ...], Field(min_length=1, max_length=MOST_FILTERS)
    ] = _key("Filters applied to the value first, in order.")

    @property
    def steps(self) -> tuple[CompiledFilter, ...]:
        """The filters in order."""
        written: tuple[CompiledFilter, ...] | None = self.filter
        return written or ()


class Predicate(Filtered):
    """One predicate, and filters that are applied before it."""

    equals: Any = _key("It is exactly this.")
    differs: Any = _key("It exists, and is not this.")
    above: _Bound = _key("It is more than this.")
    below: _Bound = _key("It is less than this.")
    at_least: _Bound = _key("It is this or more.")
    at_most: _Bound = _key("It is this or less.")
    between: tuple[_Bound, _Bound] = _key("It is one of these two or in between.")
    contains: Any = _key("This text, element or key is in it.")
    starts: str = _key("It begins with this.")
    ends: str = _key("It ends with this.")
    matches: Pattern = _key("The regular expression is found in it.")
    one_of: tuple[Any, ...] = _key(
        "It is one of these.", min_length=1, max_length=_MOST
    )
    exists: _Strictly = _key("It exists, or with false it does not.")
    is_null: _Strictly = _key("It is null, or with false it is not.")
    is_empty: _Strictly = _key(
        "Its text, array or object is empty, or with false it is not."
    )
    has_type: Literal[_TYPES] = _key("It is of this type.")  # type: ignore[valid-type] # the table has them
    has_length: _Length = _key(
        "It has this number of characters, elements, keys or bytes."
    )
    each: Predicate = _key("There are elements, and each satisfies this.")
    any: Predicate = _key("At least one element satisfies this.")
    not_: Predicate = _key(
        "The value can be compared with this, and does not satisfy it.", alias="not"
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
    ) -> CompiledPredicate:
        """Compile the filters and the predicate for a value of ``kind``.

        Args:
            kind: the kind of the value, or of each of several; None if not known.
            whole: the kind of several values together, for filters and predicates of
                lists.

        Raises:
            ValueError: there is not one predicate, or it does not take the value.
        """
        given = [each for each in NAMES if _field(each) in self.model_fields_set]
        if len(given) != 1:
            raise InvalidValue(
                f"give one of {', '.join(NAMES)}", code=Code.OPTION_ONE_OF
            )
        if whole is not None and self._takes_list():
            kind = whole
        kind = _kind_after(self.steps, kind)
        argument = self._argument(given[0], kind)
        return CompiledPredicate(given[0], argument, self.steps)

    def _takes_list(self) -> bool:
        inner: Predicate | None = self.not_
        listed = _OF_LISTS & self.model_fields_set
        return bool(self.filter or listed or (inner and inner._takes_list()))  # noqa: SLF001 - its own kind

    def _argument(self, name: str, kind: Kind | None) -> Any:
        """Read the argument of a predicate for a value of ``kind``.

        Raises:
            ValueError: the argument is wrong, or no value of that kind satisfies it.
        """
        rule, written = PREDICATES.get(name), getattr(self, _field(name))
        if rule and kind is not None and kind not in rule.takes:
            raise InvalidValue(
                f"{name} takes {listed(rule.takes)}, not {kind.words}",
                code=Code.ASSERT_KIND,
            )
        try:
            if isinstance(written, Predicate):
                return written.compiled(kind if name == "not" else None)
            return _read(name, written, kind)
        except ValueError as error:
            raise InvalidValue.within(name, error) from None


def _read(name: str, written: Any, kind: Kind | None) -> Any:
    if name == "one_of":
        return tuple(of_kind(kind, each) for each in written)
    if name == "between":
        low, high = (of_kind(kind or Kind.NUMBER, each) for each in written)
        if low > high:
            raise InvalidValue(
                f"{written[0]} is more than {written[1]}; swap them",
                code=Code.ASSERT_ARGUMENT,
            )
        return low, high
    if name in {"equals", "differs"}:
        return of_kind(kind, written)
    if name in _COMPARED:
        return of_kind(kind or Kind.NUMBER, written)
    if name in {"starts", "ends"} or (name == "contains" and kind in TEXTUAL):
        return of_kind(kind or Kind.STRING, written)
    return written


_GIVE_ONE = f"give one of {', '.join(QUERIES)}, such as {{header: Date, exists: true}}"


def _query_key(name: str) -> Any:
    text = QUERIES[name].does
    return _key(f"{text[0].upper()}{text[1:]}.")


class Query(BaseModel):
    """The queries that take an argument, and the check that one query is given."""

    model_config = CONFIG | ConfigDict(
        json_schema_extra={"oneOf": [{"required": [name]} for name in QUERIES]}
    )

    header: str = _query_key("header")
    jsonpath: JsonPath = _query_key("jsonpath")
    cookie: str = _query_key("cookie")
    xpath: XPath = _query_key("xpath")
    css: Css = _query_key("css")
    regex: Pattern = _query_key("regex")
    hash: Literal[HASHES] = _query_key("hash")  # type: ignore[valid-type] # a table has them
    phase: Literal["resolve", "connect", "tls", "processing", "transfer"] = _query_key(
        "phase"
    )
    certificate: Literal[tuple(FIELDS)] = _query_key("certificate")  # type: ignore[valid-type] # as above
    attribute: str = _key(
        "An attribute of the cookie, or of the elements of a CSS selector.",
        min_length=1,
    )

    _query: CompiledQuery = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, value: object) -> object:
        if not isinstance(value, dict | BaseModel):
            raise InvalidValue(_GIVE_ONE, code=Code.OPTION_ONE_OF)
        return value

    def _compile_query(self) -> Any:
        """Compile the one query, and return what has its filters and predicate.

        Raises:
            ValueError: there is none, there are several, its attribute is wrong, or
                keys that belong inside it are beside it.
        """
        fields, attribute = self.model_fields_set, self.attribute
        given = [name for name in QUERIES if name in fields]
        if len(given) != 1:
            raise InvalidValue(_GIVE_ONE, code=Code.OPTION_ONE_OF)
        name = given[0]
        if name == "cookie" and attribute and attribute not in ATTRIBUTES:
            hint = did_you_mean(attribute, ATTRIBUTES)
            what = f"unknown attribute {attribute[:64]!r}{hint}"
            raise InvalidValue(what, code=Code.ASSERT_QUERY)
        if attribute and name not in {"cookie", "css"}:
            what = "attribute goes with cookie or css; leave it out"
            raise InvalidValue(what, code=Code.OPTION_TOGETHER)
        argument = getattr(self, name) if name in WITH_ARGUMENT else None
        self._query = CompiledQuery(name=name, argument=argument, attribute=attribute)
        if name in WITH_ARGUMENT:
            return self
        beside = [each for each in (*NAMES, "filter") if _field(each) in fields]
        if beside:
            raise InvalidValue(
                f"{beside[0]} belongs inside {name}: {{{name}: {{{beside[0]}: …}}}}",
                code=Code.ASSERT_QUERY,
            )
        return getattr(self, name)


class Assertion(Query, Predicate):
    """One entry of ``expect``: a query, filters if any, and one predicate.

    With an argument, the query stands beside the predicate, else around it.
    """

    body: Predicate = _query_key("body")
    duration: Predicate = _query_key("duration")
    status: Predicate = _query_key("status")
    http_version: Predicate = _query_key("http_version")
    bytes: Predicate = _query_key("bytes")
    size: Predicate = _query_key("size")
    redirects: Predicate = _query_key("redirects")
    url: Predicate = _query_key("url")
    peer: Predicate = _query_key("peer")

    _inner: CompiledPredicate = PrivateAttr()

    @model_validator(mode="after")
    def _compile(self) -> Assertion:
        self._inner = self._compile_query().compiled(*self._query.kinds())
        return self

    def finding(self, reply: Reply) -> Finding:
        """Check a response; of several values, report the first failure."""
        found, inner = self._query(reply), self._inner
        if not found.several or inner.takes_list:
            return inner.finding(found.where, found.value)
        each = [inner.finding(where, value) for where, value in found.places]
        return next((one for one in each if not one.ok), each[0])


class Capture(Query, Filtered):
    """One entry of ``capture``: a query, and filters if any."""

    body: Filtered = _query_key("body")
    duration: Filtered = _query_key("duration")
    status: Filtered = _query_key("status")
    http_version: Filtered = _query_key("http_version")
    bytes: Filtered = _query_key("bytes")
    size: Filtered = _query_key("size")
    redirects: Filtered = _query_key("redirects")
    url: Filtered = _query_key("url")
    peer: Filtered = _query_key("peer")
    secret: bool = Field(
        False, strict=True, description="Whether to mask the value in all output."
    )

    _inner: Filtered = PrivateAttr()

    @model_validator(mode="after")
    def _compile(self) -> Capture:
        self._inner = self._compile_query()
        kind, whole = self._query.kinds()
        _kind_after(self._inner.steps, whole or kind)
        return self

    def take(self, reply: Reply) -> tuple[str, Any]:
        """Return where the value was read, and the value after the filters."""
        found = self._query(reply)
        value = found.value
        for step in self._inner.steps:
            value = step(value)
        return found.where, value
