"""``hookgate schema``: the JSON Schema of a plan, for editors."""

from __future__ import annotations

import json
from typing import Any

import click

from hookgate.plan import PlanFile
from hookgate.registry import names, resolve


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of a plan, with the options of every validator here."""
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
        options = resolve(name).model_json_schema(
            by_alias=True, ref_template=f"#/$defs/{name}.{{model}}"
        )
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
