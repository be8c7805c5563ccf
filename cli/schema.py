"""``hookgate schema``: the JSON Schema of a plan, for editors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import click

from hookgate.plan import PlanFile
from hookgate.registry import names, resolve
from hookgate.validator import Validator
from hookgate_cli.output import write_json


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of a plan, with the options of all validators."""
    write_json(plan_schema(), "-")


def plan_schema() -> dict[str, Any]:
    """The schema of the plan's file, each validator's options under its name."""
    schema = PlanFile.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Hookgate plan"
    definitions = schema["$defs"]
    step = definitions["StepFile"]
    step["properties"]["use"]["enum"] = list(names())
    step["allOf"] = []
    for name in names():
        options = options_schema(resolve(name), f"#/$defs/{name}.{{model}}")
        for inner, definition in options.pop("$defs", {}).items():
            definitions[f"{name}.{inner}"] = definition
        definitions[name] = options
        step["allOf"].append(
            {
                "if": {"properties": {"use": {"const": name}}},
                "then": {"properties": {"with": {"$ref": f"#/$defs/{name}"}}},
            }
        )
    return schema


def options_schema(
    validator: type[Validator], ref_template: str = "#/$defs/{model}"
) -> dict[str, Any]:
    """The schema of a validator's options, with defaults as a plan has them."""
    schema = validator.model_json_schema(by_alias=True, ref_template=ref_template)
    # pydantic would list each default of an inner model, and a bound as an object.
    fields = set(validator.model_fields)
    built = validator.model_construct(fields)
    defaults = built.model_dump(
        mode="json", by_alias=True, exclude_unset=True, warnings=False
    )
    for name, option in schema["properties"].items():
        if "default" in option:
            option["default"] = defaults[name]
    # pydantic has numbers without their units.
    for each in _schemas(schema):
        if each.get("type") == "string" and isinstance(
            each.get("default"), int | float
        ):
            each["default"] = _with_unit(each["default"], unit(each))
    return schema


def _schemas(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from _schemas(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _schemas(value)


_UNITS = (
    (r"<.*%", "percentage bound"),
    (r"<.*s", "duration bound"),
    (r"<", "number bound"),
    (r"\$\{secret", "secret"),
    (r".*%", "percentage"),
    (r".*/", "rate"),
    (r".*B", "size"),
    (r"\d", "duration"),
)


def unit(field: Mapping[str, Any]) -> str:
    """The unit of an option, which its first example shows; empty if it has none."""
    example = str(field.get("examples", [""])[0])
    return next((name for start, name in _UNITS if re.match(start, example)), "")


def _with_unit(value: float, unit: str) -> str:
    """Write a number as a plan does."""
    if unit == "percentage":
        return f"{value:g}%"
    if unit == "rate":
        return f"{value:g}/s"
    if unit == "size":
        sizes = {"MiB": 2**20, "KiB": 2**10, "B": 1}
        name = next(name for name, size in sizes.items() if value % size == 0)
        return f"{value / sizes[name]:g}{name}"
    return f"{value * 1000:g}ms" if 0 < value < 1 else f"{value:g}s"
