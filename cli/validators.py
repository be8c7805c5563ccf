"""``hookgate validators``: which there are, and what each can be told."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.options import Option, options
from cli.output import console_for, write_text
from cli.reference import codes_page, example, index, page, prose, schema_of, title
from hookgate.registry import names, resolve
from hookgate.validator import Validator


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
    console = console_for(())
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
        pages["codes.md"] = codes_page()
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
    console.print(Text(f"\n{_flowing(prose(validator))}\n"))
    if shown := example(validator):
        console.print(Text(f"{shown}\n", style="cyan"))
    schema = schema_of(validator)
    known = options(schema)
    own = [each for each in known if each.name not in Validator.model_fields]
    console.print("Options", style="bold")
    console.print(_options(own) if own else "  None.")
    console.print("\nOptions of every validator", style="bold")
    console.print(_options(each for each in known if each not in own))
    for inner, definition in schema.get("$defs", {}).items():
        said = definition.get("description", "").partition("\n")[0]
        console.print(Text.assemble("\n", (inner.lstrip("_"), "bold"), f"  {said}"))
        console.print(_options(options(definition)))


def _flowing(text: str) -> str:
    """Paragraphs in one line each, for a terminal of any width to break."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(
        each if "\n- " in f"\n{each}" else " ".join(each.split()) for each in paragraphs
    )


def _options(known: Iterable[Option]) -> Group:
    """Each option in a line, and what it is for under it."""
    return Group(*(_option(each) for each in known))


def _option(option: Option) -> Group:
    left_out = f", default {option.default}" if option.default else ""
    if option.default == "required":
        left_out = ", required"
    head = Text.assemble(
        "  ", (option.name, "cyan"), f"  {option.kind}", (left_out, "dim")
    )
    return Group(head, Padding(Text(option.description), (0, 0, 0, 6)))
