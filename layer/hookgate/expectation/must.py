"""Predicates and filters as a plan writes them, and what they are compiled to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.expectation import predicates
from hookgate.expectation.filter_step import MOST, Filter, Step, check_chain
from hookgate.expectation.predicate import Inner, Predicate, argument_for
from hookgate.expectation.value import Kind, Missing, Unreadable
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
