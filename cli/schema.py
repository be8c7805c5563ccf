"""``hookgate schema``: the JSON Schema of a plan, for editors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from hookgate.plan import PlanFile
from hookgate.registry import names, resolve
from hookgate.validator import Validator


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of a plan, with the options of all validators."""
    click.echo(json.dumps(plan_schema(), indent=2))


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
        default, example = each.get("default"), str(each.get("examples", [""])[0])
        if each.get("type") == "string" and isinstance(default, int | float):
            each["default"] = _with_unit(default, example)
    return schema


def _schemas(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from _schemas(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _schemas(value)


def _with_unit(value: float, example: str) -> str:
    """Write a number with the unit that its example has."""
    if example.endswith("%"):
        return f"{value:g}%"
    if "/" in example:
        return f"{value:g}/s"
    if example.endswith("B"):
        unit, size = next(
            (each for each in (("MiB", 2**20), ("KiB", 2**10)) if value % each[1] == 0),
            ("B", 1),
        )
        return f"{value / size:g}{unit}"
    return f"{value * 1000:g}ms" if 0 < value < 1 else f"{value:g}s"
