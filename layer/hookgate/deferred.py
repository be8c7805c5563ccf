"""Types of options that are imported and built when a plan first writes one.

Most plans leave most options out, and a cold start pays for what is imported. To an
option's author such a type is like any other: errors stand where they stand in the
value, and the JSON Schema is that of the type itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any, cast

from pydantic import (
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationInfo,
)
from pydantic_core import CoreSchema, core_schema

from hookgate.codes import Code
from hookgate.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Deferred:
    """Stands for a type in the annotation of an option, until a value is read.

    Args:
        module: where the type is.
        name: what it is called there.
    """

    module: str
    name: str

    @property
    def type(self) -> Any:
        """The type itself, imported."""
        return getattr(import_module(self.module), self.name)

    def __get_pydantic_core_schema__(
        self, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read a value by the type, which the first value brings in."""
        return core_schema.with_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The type's own, by reference, as a model has it."""
        schema = _adapter(self).core_schema
        if schema["type"] == "definitions":  # it refers to itself, and so it has one
            return handler(schema)
        ref = f"{self.module}.{self.name}:{id(self.type)}"
        named = cast("CoreSchema", {**schema, "ref": ref})
        there = core_schema.definition_reference_schema(ref)
        return handler(core_schema.definitions_schema(there, [named]))

    def _read(self, value: Any, info: ValidationInfo) -> Any:
        return _adapter(self).validate_python(value, context=info.context)


def deferred(module: str, name: str) -> Any:
    """What takes the place of a type in an option's annotation.

    A type checker is given the type itself: both stand under ``if TYPE_CHECKING``.
    """
    return Annotated[Any, Deferred(module, name)]


@cache
def _adapter(later: Deferred) -> TypeAdapter[Any]:
    return TypeAdapter(later.type)


#: The parameter of template.yaml that brings the layer.
PARAMETER = "SecondLayer"


def demand(what: str, *modules: str) -> None:
    """Demand that the libraries of something in a plan are there.

    Nothing is imported: a look at the path is all. The error is a ValueError, so that
    a pydantic validator may call this and the reader learns the place in the plan.

    Args:
        what: who needs them, as the plan says it, such as ``xpath``.
        modules: their top-level modules, such as ``lxml``.

    Raises:
        ValueError: one is missing; names the parameter to set.
    """
    missing = [each for each in modules if find_spec(each) is None]
    if missing:
        raise InvalidValue(
            f"{what} needs the second layer, which is not installed "
            f"({', '.join(missing)} is missing): deploy with {PARAMETER}=true; on "
            "this machine: pip install 'hookgate[protocols]'",
            code=Code.SECOND_LAYER,
        )
