"""``hookgate validators``: which there are, and what each can be told."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.schema import add_units
from hookgate.registry import names, resolve
from hookgate.validator import Validator

_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true | false",
    "object": "mapping",
}


@click.command("validators")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """Show the validators, or the options of the one called NAME."""
    console = Console(highlight=False)
    if name is None:
        table = Table.grid(padding=(0, 2))
        for each in names():
            table.add_row(each, Text(_title(resolve(each))))
        console.print(table)
        console.print("\nhookgate validators NAME tells the options of one.")
        return
    validator = resolve(name)
    console.print(Text(name, style="bold"))
    console.print(Text(f"\n{inspect.getdoc(validator)}\n"))
    schema = validator.model_json_schema(by_alias=True)
    add_units(schema)
    console.print(_options(schema))
    for inner, definition in schema.get("$defs", {}).items():
        said = definition.get("description", "").partition("\n")[0]
        console.print(Text.assemble("\n", (inner.lstrip("_"), "bold"), f"  {said}"))
        console.print(_options(definition))


def _title(validator: type[Validator]) -> str:
    return (inspect.getdoc(validator) or "").partition("\n")[0]


def _options(schema: Mapping[str, Any]) -> Table:
    table = Table("option", "type", "default", "", box=None, padding=(0, 2, 0, 0))
    for column in table.columns:
        column.header_style = "dim"
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        default = "required" if name in required else _short(field.get("default"))
        said = field.get("description", "")
        table.add_row(*(Text(each) for each in (name, kind(field), default, said)))
    return table


def kind(field: Mapping[str, Any]) -> str:
    """What a field's JSON Schema takes, in a few words."""
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2].lstrip("_")
    if "const" in field:
        return str(field["const"])
    if "enum" in field:
        return " | ".join(str(each) for each in field["enum"])
    choice = field.get("anyOf") or field.get("oneOf") or ()
    branches = [each for each in choice if each.get("type") != "null"]
    if branches:
        return " | ".join(dict.fromkeys(kind(each) for each in branches))
    if field.get("type") == "array":
        return f"list of {kind(field.get('items', {}))}"
    if "examples" in field:
        return f"such as {field['examples'][0]}"
    if field.get("format") == "regex":
        return "regular expression"
    return _TYPES.get(str(field.get("type")), "any value")


def _short(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
