"""``hookgate validators``: which there are, and what each can be told."""

from __future__ import annotations

import inspect
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from hookgate.registry import names, resolve
from hookgate.validator import Validator


@click.command("validators")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """Show the validators, or the options of the one called NAME."""
    console = Console(highlight=False)
    if name is None:
        table = Table.grid(padding=(0, 2))
        for each in names():
            table.add_row(each, _title(resolve(each)))
        console.print(table)
        return
    validator = resolve(name)
    console.print(f"[bold]{name}[/bold]\n")
    console.print(inspect.getdoc(validator), markup=False)
    console.print(_options(validator))


def _title(validator: type[Validator]) -> str:
    return (inspect.getdoc(validator) or "").partition("\n")[0]


def _options(validator: type[Validator]) -> Table:
    table = Table("option", "type", "default", "", box=None, padding=(0, 2, 0, 0))
    schema = validator.model_json_schema(by_alias=True)
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        default = "required" if name in required else _short(field.get("default"))
        table.add_row(name, _kind(field), default, field.get("description", ""))
    return table


def _kind(field: dict[str, Any]) -> str:
    if "enum" in field:
        return " | ".join(str(each) for each in field["enum"])
    if "examples" in field:
        return f"such as {field['examples'][0]}"
    branches = [each for each in field.get("anyOf", ()) if each.get("type") != "null"]
    choices = [_kind(each) for each in branches]
    return " | ".join(dict.fromkeys(choices)) or str(field.get("type", "see below"))


def _short(value: Any) -> str:
    return "" if value is None else str(value)
