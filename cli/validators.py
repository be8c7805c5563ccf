"""``hookgate validators``: which there are, and what each can be told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.options import options
from cli.output import write_text
from cli.reference import example, index, page, prose, schema_of, title
from hookgate.registry import names, resolve


@click.command("validators")
@click.argument("name", required=False)
@click.option(
    "--markdown",
    metavar="FOLDER",
    help="Write the reference page of NAME, or of all, into FOLDER; - prints it.",
)
def command(name: str | None, markdown: str | None) -> None:
    """Show the validators, or the options of the one called NAME."""
    if markdown is not None:
        _write(name, markdown)
        return
    console = Console(highlight=False)
    if name is None:
        _list(console)
    else:
        _show(console, name)


def _write(name: str | None, folder: str) -> None:
    wanted = (name,) if name else names()
    pages = {f"{each}.md": page(each) for each in wanted}
    if folder == "-":
        write_text("\n".join(pages.values()), "-")
        return
    if name is None:
        pages["README.md"] = index(wanted)
    for file, text in pages.items():
        write_text(text, str(Path(folder) / file))


def _list(console: Console) -> None:
    table = Table.grid(padding=(0, 2))
    for each in names():
        table.add_row(each, Text(title(resolve(each))))
    console.print(table)
    console.print("\nhookgate validators NAME tells the options of one.")


def _show(console: Console, name: str) -> None:
    validator = resolve(name)
    console.print(Text(name, style="bold"))
    console.print(Text(f"\n{prose(validator)}\n"))
    if shown := example(validator):
        console.print(Text(f"{shown}\n", style="cyan"))
    schema = schema_of(validator)
    console.print(_options(schema))
    for inner, definition in schema.get("$defs", {}).items():
        said = definition.get("description", "").partition("\n")[0]
        console.print(Text.assemble("\n", (inner.lstrip("_"), "bold"), f"  {said}"))
        console.print(_options(definition))


def _options(schema: Mapping[str, Any]) -> Table:
    table = Table("option", "type", "default", "", box=None, padding=(0, 2, 0, 0))
    for column in table.columns:
        column.header_style = "dim"
    for each in options(schema):
        cells = (each.name, each.kind, each.default, each.said)
        table.add_row(*(Text(cell) for cell in cells))
    return table
