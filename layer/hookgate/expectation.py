r"""What a plan expects of an answer: one query and one predicate an entry.

A query with an argument has its predicate beside it, a query without one has it
inside::

    expect:
      - {header: Content-Type, contains: json}
      - {jsonpath: $.status, equals: UP}
      - {body: {matches: 'v\d+'}}
      - {duration: {below: 500ms}}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from hookgate.json_body import JsonBody, JsonPath
from hookgate.model import Finding
from hookgate.predicate import Missing, holds, shown, wanted
from hookgate.probe import Reply
from hookgate.units import Duration, Pattern, seconds_text

_PREDICATES = ("equals", "differs", "contains", "matches", "above", "below", "exists")


class _Entry(BaseModel):
    """An entry with exactly one predicate among its fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
    )

    @model_validator(mode="after")
    def _one_predicate(self) -> _Entry:
        own = [each for each in _PREDICATES if each in type(self).model_fields]
        if own and len(self.model_fields_set & set(own)) != 1:
            raise ValueError(f"give one of {', '.join(own)}")
        return self

    @property
    def predicate(self) -> tuple[str, Any]:
        name = next(each for each in _PREDICATES if each in self.model_fields_set)
        return name, getattr(self, name)


_Equals = Field(None, description="It is exactly this.")
_Differs = Field(None, description="It is there, and is not this.")
_Contains = Field(None, description="This text is in it, or this element.")
_Matches = Field(None, description="The regular expression is found in it.")
_Exists = Field(None, description="It is there, or with false it is not.")


class Text(_Entry):
    """What a body's text must be."""

    equals: str | None = _Equals
    differs: str | None = _Differs
    contains: str | None = _Contains
    matches: Pattern | None = _Matches


class HeaderIs(_Entry):
    """A header of the answer; several of one name are joined by a comma."""

    header: str = Field(min_length=1, description="The header's name, in any case.")
    equals: str | None = _Equals
    differs: str | None = _Differs
    contains: str | None = _Contains
    matches: Pattern | None = _Matches
    exists: bool | None = _Exists

    def findings(self, reply: Reply) -> Iterator[Finding]:
        """State whether the header is as expected."""
        where, value = f"header {self.header}", reply.header(self.header)
        yield _finding(self, where, Missing("the header") if value is None else value)


class BodyIs(_Entry):
    """The whole body as UTF-8 text."""

    body: Text = Field(description="What the text must be.")

    def findings(self, reply: Reply) -> Iterator[Finding]:
        """State whether the body is as expected."""
        yield _finding(self.body, "body", reply.text)


class JsonIs(_Entry):
    """What a JSON path of RFC 9535 leads to; if to several values, all of them."""

    jsonpath: JsonPath = Field(description="The path, such as $.status.")
    equals: Any = Field(None, description="It is this JSON value; true is not 1.")
    differs: Any = _Differs
    contains: Any = _Contains
    matches: Pattern | None = _Matches
    above: float | None = Field(None, description="It is a number above this.")
    below: float | None = Field(None, description="It is a number below this.")
    exists: bool | None = _Exists

    def findings(self, reply: Reply) -> Iterator[Finding]:
        """State whether the value is as expected, or the first that is not."""
        found = [
            _finding(self, f"body at {path}", value)
            for path, value in JsonBody(reply.body).at(self.jsonpath)
        ]
        yield next((each for each in found if not each.ok), found[0])


class _Below(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    below: Duration = Field(description="It takes less than this.")


class DurationIs(_Entry):
    """The time from connecting to the last byte of the body."""

    duration: _Below = Field(description="The bound.")

    def findings(self, reply: Reply) -> Iterator[Finding]:
        """State whether the answer was quick enough."""
        bound, took = self.duration.below, seconds_text(reply.duration)
        yield Finding(
            ok=reply.duration < bound,
            summary=f"duration: expected below {seconds_text(bound)}, came {took}",
        )


_QUERIES = ("header", "body", "jsonpath", "duration")


def _query(value: object) -> str | None:
    if isinstance(value, dict):
        given = [each for each in _QUERIES if each in value]
    else:
        given = [each for each in _QUERIES if hasattr(value, each)]
    return given[0] if len(given) == 1 else None


#: One entry of ``expect``.
Expectation = Annotated[
    Annotated[HeaderIs, Tag("header")]
    | Annotated[BodyIs, Tag("body")]
    | Annotated[JsonIs, Tag("jsonpath")]
    | Annotated[DurationIs, Tag("duration")],
    Discriminator(
        _query,
        custom_error_type="query",
        custom_error_message=f"give one of {', '.join(_QUERIES)}, such as "
        "{header: Content-Type, contains: json}",
    ),
]


def judge(expectations: Sequence[Expectation], reply: Reply) -> Iterator[Finding]:
    """State for each expectation whether ``reply`` meets it."""
    for each in expectations:
        yield from each.findings(reply)


def _finding(entry: _Entry, where: str, value: Any) -> Finding:
    name, argument = entry.predicate
    ok = holds(name, argument, value)
    expected = wanted(name, argument)
    return Finding(ok=ok, summary=f"{where}: expected {expected}, came {shown(value)}")
