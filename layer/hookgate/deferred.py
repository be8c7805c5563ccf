"""Types of options that are imported when a plan first uses them.

Most plans leave most options out, and imports make a cold start slower. To the author
of a validator such a type is like any other: the path of an error and the JSON Schema
are those of the type itself.
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
    """The annotation of an option whose type is imported with its first value.

    Args:
        module: the module of the type.
        name: its name in that module.
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
        """Validate a value by the type, which the first value imports."""
        return core_schema.with_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the schema of the type by reference, as that of a model."""
        schema = _adapter(self).core_schema
        if schema["type"] == "definitions":  # it refers to itself and has a reference
            return handler(schema)
        ref = f"{self.module}.{self.name}:{id(self.type)}"
        named = cast("CoreSchema", {**schema, "ref": ref})
        there = core_schema.definition_reference_schema(ref)
        return handler(core_schema.definitions_schema(there, [named]))

    def _read(self, value: Any, info: ValidationInfo) -> Any:
        return _adapter(self).validate_python(value, context=info.context)


def deferred(module: str, name: str) -> Any:
    """Return an annotation that imports the type with the first value.

    Import the type itself under ``if TYPE_CHECKING`` for the type checker.
    """
    return Annotated[Any, Deferred(module, name)]


@cache
def _adapter(later: Deferred) -> TypeAdapter[Any]:
    return TypeAdapter(later.type)


#: The parameter of template.yaml that adds the second layer.
PARAMETER = "SecondLayer"


def demand(what: str, *modules: str) -> None:
    """Check that the libraries of an option are installed; imports none.

    The error is a ValueError, so that a pydantic validator can call this and the
    message has the place in the plan.

    Args:
        what: the option that needs them, such as ``xpath``.
        modules: their top-level modules, such as ``lxml``.

    Raises:
        ValueError: one is missing; the message names the parameter to set.
    """
    missing = [each for each in modules if find_spec(each) is None]
    if missing:
        raise InvalidValue(
            f"{what} needs the second layer, which is not installed "
            f"({', '.join(missing)} is missing): deploy with {PARAMETER}=true; on "
            "this machine: pip install 'hookgate[protocols]'",
            code=Code.SECOND_LAYER,
        )
