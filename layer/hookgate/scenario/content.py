"""What a step of a scenario sends: bodies of every kind."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.expectation.must import CONFIG
from hookgate.files import File, FileName, Reading
from hookgate.scenario.variables import written


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise InvalidValue(
            "this is a text, a number, or true or false", code=Code.PLAN_TYPE
        )
    return written(value)


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


def urlencoded(fields: Mapping[str, Sequence[str]]) -> str:
    """Names and values as a URL's query and a form have them."""
    return urlencode({key: list(values) for key, values in fields.items()}, doseq=True)


class Part(BaseModel):
    """A part of a multipart body: a text, or a file."""

    model_config = CONFIG

    name: str = Field(min_length=1, description="The field's name.")
    text: str | None = Field(None, description="Its text.")
    file: FileName | None = Field(
        None, description="A file's name, relative to the plan."
    )
    filename: str | None = Field(
        None, description="What the file is said to be called."
    )
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

    model_config = CONFIG

    query: str = Field(min_length=1, description="The document.")
    variables: Mapping[str, Any] = Field({}, description="Its variables.")
    operation: str | None = Field(None, description="Which operation of several.")
    errors: bool = Field(
        False,
        strict=True,
        description="Whether an answer with errors is right; without it none is.",
    )


def encoded(kind: str, content: Any) -> tuple[bytes, str | None]:
    """A body and its Content-Type.

    Args:
        kind: the key of the step: ``json``, ``graphql``, ``form``, ``multipart`` or
            ``body``.
        content: what the key holds.
    """
    if kind == "json":
        return json.dumps(content).encode(), "application/json"
    if kind == "graphql":
        said = {"query": content.query, "variables": dict(content.variables)}
        if content.operation is not None:
            said["operationName"] = content.operation
        return json.dumps(said).encode(), "application/json"
    if kind == "form":
        return urlencoded(content).encode(), "application/x-www-form-urlencoded"
    if kind == "multipart":
        from urllib3.filepost import encode_multipart_formdata  # noqa: PLC0415 - few plans need it

        return encode_multipart_formdata([each.field() for each in content])
    return (content.raw if isinstance(content, File) else content.encode()), None


__all__ = ["Fields", "File", "GraphQl", "Part", "encoded", "urlencoded"]
