"""The request of a step as a plan writes it: one model for every validator."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.files import File, FileName, Reading
from hookgate.probe import Request

if TYPE_CHECKING:
    from hookgate.expectation import Expectation

_CONFIG = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise InvalidValue(
            "this is a text, a number, or true or false", code=Code.PLAN_TYPE
        )
    return str(value)


def _scalars(value: object) -> Any:
    return value if isinstance(value, list | tuple) else [value]


_ONE = {"anyOf": [{"type": each} for each in ("string", "number", "boolean")]}
_Scalar = Annotated[str, BeforeValidator(_scalar), WithJsonSchema(_ONE)]
_Many = Annotated[
    tuple[_Scalar, ...],
    BeforeValidator(_scalars),
    WithJsonSchema({"anyOf": [*_ONE["anyOf"], {"type": "array", "items": _ONE}]}),
]
#: Names with a value each, or a list of values.
Fields = Mapping[str, _Many]


class Part(BaseModel):
    """A part of a multipart body: a text, or a file."""

    model_config = _CONFIG

    name: str = Field(min_length=1, description="The field's name.")
    text: str | None = Field(None, description="Its text.")
    file: FileName | None = Field(
        None, description="A file's name, relative to the plan."
    )
    filename: str | None = Field(None, description="The file's name in the request.")
    type: str | None = Field(None, description="Its Content-Type.")

    _raw: bytes = PrivateAttr(b"")

    @model_validator(mode="after")
    def _one(self, info: ValidationInfo) -> Part:
        if (self.text is None) == (self.file is None):
            raise InvalidValue(
                "give text or file, one of them", code=Code.OPTION_ONE_OF
            )
        if self.file is not None:
            self._raw = Reading.of(info.context).read(self.file)
        return self

    def field(self) -> tuple[str, Any]:
        """As urllib3 takes it."""
        if self.file is None:
            return self.name, (None, self.text, self.type or "text/plain")
        called = self.filename or self.file.rpartition("/")[2]
        return self.name, (called, self._raw, self.type or "application/octet-stream")


class GraphQl(BaseModel):
    """A GraphQL operation, sent as JSON (graphql.org/learn/serving-over-http)."""

    model_config = _CONFIG

    query: str = Field(min_length=1, description="The document.")
    variables: Mapping[str, Any] = Field({}, description="Its variables.")
    operation: str | None = Field(None, description="Which operation of several.")
    errors: bool = Field(
        False,
        strict=True,
        description="Whether a response with errors passes; by default none does.",
    )


#: The options that hold a body, of which a request has one at most.
_BODIES = {
    "body": "body",
    "json_body": "json",
    "form": "form",
    "multipart": "multipart",
    "graphql": "graphql",
}


class HttpRequest(BaseModel):
    """A request; validators add what they need, and may restrict what is here."""

    model_config = _CONFIG

    path: str = Field("/", pattern=r"^/", description="The path, and a query if any.")
    method: str | None = Field(
        None,
        pattern=r"^[A-Z]+$",
        description="The method, in capitals; by default GET, or POST with a body.",
    )
    query: Fields = Field({}, description="Parameters that are added to the query.")
    headers: Mapping[str, str] = Field({}, description="Headers to send.")
    body: str | File | None = Field(
        None,
        description="A text to send, or {file: order.json}, a file beside the plan.",
    )
    json_body: Any = Field(
        None,
        alias="json",
        description="JSON to send; Content-Type is application/json unless headers "
        "say otherwise.",
    )
    form: Fields | None = Field(None, description="Fields of a form to send.")
    multipart: tuple[Part, ...] | None = Field(
        None, min_length=1, max_length=50, description="Parts of a form with files."
    )
    graphql: GraphQl | None = Field(None, description="A GraphQL operation to send.")

    @model_validator(mode="after")
    def _is_one_request(self) -> HttpRequest:
        if len(self._bodies) > 1:
            raise InvalidValue(
                f"give one of {', '.join(_BODIES.values())}", code=Code.OPTION_ONE_OF
            )
        names = [each.lower() for each in self.headers]
        twice = {each for each in names if names.count(each) > 1}
        if twice:
            raise InvalidValue(
                f"a header is given twice: {', '.join(sorted(twice))}",
                code=Code.OPTION_HEADER,
            )
        return self

    @property
    def _bodies(self) -> list[str]:
        # null is JSON to send; of the others it is as good as left out.
        return [
            each
            for each in _BODIES
            if each in self.model_fields_set
            and (each == "json_body" or getattr(self, each) is not None)
        ]

    @property
    def verb(self) -> str:
        """The method that is sent."""
        return self.method or ("POST" if self._bodies else "GET")

    def expected(self, expect: Sequence[Expectation]) -> tuple[Expectation, ...]:
        """What the response must be; of GraphQL also that it reports no errors."""
        if self.graphql is None or self.graphql.errors:
            return tuple(expect)
        from hookgate.expectation.entry import Expectation  # noqa: PLC0415 - few plans use GraphQL

        no_errors = {"jsonpath": "$.errors", "exists": False}
        return (Expectation.model_validate(no_errors), *expect)

    def request(self, common: Mapping[str, str] | None = None, **more: Any) -> Request:
        """The request to send.

        Args:
            common: headers of all requests, which this request's own replace whatever
                their case.
            more: bounds and other fields of ``Request``.
        """
        own = {name.lower() for name in self.headers}
        headers = {
            name: value
            for name, value in (common or {}).items()
            if name.lower() not in own
        } | dict(self.headers)
        body = None
        for each in self._bodies:
            body, kind = _encoded(_BODIES[each], getattr(self, each))
            if kind and "content-type" not in {name.lower() for name in headers}:
                headers["Content-Type"] = kind
        path, query = self.path, _urlencoded(self.query)
        if query:
            path += f"{'&' if '?' in path else '?'}{query}"
        return Request(method=self.verb, path=path, headers=headers, body=body, **more)


def _urlencoded(fields: Mapping[str, Sequence[str]]) -> str:
    """Names and values as a URL's query and a form have them."""
    return urlencode({key: list(values) for key, values in fields.items()}, doseq=True)


def _encoded(kind: str, content: Any) -> tuple[bytes, str | None]:
    """A body and its Content-Type, by the option that holds the content."""
    if kind == "json":
        return json.dumps(content).encode(), "application/json"
    if kind == "graphql":
        said = {"query": content.query, "variables": dict(content.variables)}
        if content.operation is not None:
            said["operationName"] = content.operation
        return json.dumps(said).encode(), "application/json"
    if kind == "form":
        return _urlencoded(content).encode(), "application/x-www-form-urlencoded"
    if kind == "multipart":
        from urllib3.filepost import encode_multipart_formdata  # noqa: PLC0415 - few plans need it

        return encode_multipart_formdata([each.field() for each in content])
    return (content.raw if isinstance(content, File) else content.encode()), None
