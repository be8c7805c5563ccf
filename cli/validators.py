"""``hookgate validators``: the validators and their options."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
from rich.console import Group
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table

import hookgate_validators
from hookgate.codes import Code
from hookgate.registry import names, resolve
from hookgate.validator import Validator
from hookgate_cli.output import Console, console_for, write_text
from hookgate_cli.printable import Text
from hookgate_cli.schema import options_schema, unit


class Option(NamedTuple):
    """One option; ``default`` is ``required`` if it has none."""

    name: str
    kind: str
    default: str
    description: str


def options(schema: Mapping[str, Any]) -> list[Option]:
    """The options of an object's schema."""
    found = []
    for name, field in schema.get("properties", {}).items():
        is_required = name in schema.get("required", ())
        default = "required" if is_required else _short(field.get("default"))
        found.append(Option(name, kind(field), default, field.get("description", "")))
    return found


def kind(field: Mapping[str, Any]) -> str:
    """The type of a field, in a few words."""
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2].lstrip("_")
    if "const" in field:
        return str(field["const"])
    if "enum" in field:
        return " | ".join(str(each) for each in field["enum"])
    choice = field.get("anyOf") or field.get("oneOf") or ()
    if branches := [each for each in choice if each.get("type") != "null"]:
        kinds = " | ".join(dict.fromkeys(kind(each) for each in branches))
        # Of "integer | string | list of integer | string", the end says nothing new.
        return re.sub(r"^(.*) \| list of \1$", r"\1 | list", kinds)
    if field.get("type") == "array":
        return f"list of {kind(field.get('items', {}))}"
    if field.get("format") == "regex":
        return "regular expression"
    if field.get("type") == "object":
        values = field.get("patternProperties", {}).values()
        return " of ".join(("map", *(kind(each) for each in values)))
    return unit(field) or str(field.get("type", "any"))


def _short(value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_CODE = re.compile(r"\bCode\.([A-Z0-9_]+)")

_EXAMPLE = "\nExample:\n"

#: Types that another page describes for all validators.
_ELSEWHERE = {
    "Repeat": "../semantics.md#retry-options",
    **dict.fromkeys(
        ("Assertion", "Predicate", "Capture", "Filtered"), "../assertions.md"
    ),
}


def title(validator: type[Validator]) -> str:
    """The first sentence of a validator's docstring."""
    return (inspect.getdoc(validator) or "").partition("\n")[0]


def prose(validator: type[Validator]) -> str:
    """A validator's docstring without its example."""
    return (inspect.getdoc(validator) or "").partition(_EXAMPLE)[0].strip()


def example(validator: type[Validator]) -> str:
    """The steps of the example in a validator's docstring, in YAML."""
    text = (inspect.getdoc(validator) or "").partition(_EXAMPLE)[2]
    return textwrap.dedent(text).strip()


def page(name: str) -> str:
    """The reference page of the validator called ``name``, in Markdown.

    Raises:
        InputError: there is none of that name.
    """
    validator = resolve(name)
    parts = [f"# {name}", prose(validator), _when(validator)]
    if shown := example(validator):
        parts += ["## Example", f"```yaml\n{shown}\n```"]
    schema = options_schema(validator)
    own, shared = _options_of(schema)
    known = schema.get("$defs", {})
    parts += ["## Options", *([_option_table(own, known)] if own else [])]
    parts += [_retries(validator, shared)]
    for inner, definition in _nested(schema):
        parts += [f"### {inner}", _first_line(definition)]
        parts += [_option_table(options(definition), known)]
    return "\n\n".join(parts) + "\n"


def _options_of(schema: Mapping[str, Any]) -> tuple[list[Option], list[Option]]:
    """The options of a validator, and those that every validator has."""
    known = options(schema)
    shared = [each for each in known if each.name in Validator.model_fields]
    return [each for each in known if each not in shared], shared


def _nested(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The types of a validator's options that its page describes."""
    for name, definition in schema.get("$defs", {}).items():
        if definition.get("properties") and name not in _ELSEWHERE:
            yield name.lstrip("_"), definition


def _first_line(definition: Mapping[str, Any]) -> str:
    return str(definition.get("description", "")).partition("\n")[0]


def _retries(validator: type[Validator], shared: Iterable[Option]) -> str:
    fields, usual = validator.model_fields, Validator.model_fields
    defaults = " and ".join(
        f"`{each.name}` is `{each.default}`"
        for each in shared
        if fields[each.name].default != usual[each.name].default
    )
    return (
        "Every validator has the [retry options](../semantics.md#retry-options) "
        + ", ".join(f"`{each.name}`" for each in shared)
        + (f". Here, {defaults} by default." if defaults else ".")
    )


def index(names: Sequence[str]) -> str:
    """The page of all validators."""
    return _generated(
        "The validators",
        "`hookgate validators NAME` shows the same. [Types of options]"
        "(../plans.md#types-of-options) shows how a plan has durations, bounds and "
        "other types.",
        ("validator", "checks"),
        [(f"[{each}]({each}.md)", title(resolve(each))) for each in names],
    )


def codes_page() -> str:
    """The page of all codes: what each means, and which validators use it."""
    places = _places()
    return _generated(
        "Codes of findings and errors",
        "Each finding, error and outcome has a code. Programs and tests rely on the "
        "code, which is stable; messages may change. A finding of a third-party "
        "validator without a code has the validator's name as its code, such as "
        "`REDIRECTS`.",
        ("code", "meaning", "validators"),
        [
            (f"`{each}`", each.meaning, ", ".join(sorted(places[each.name])))
            for each in sorted(Code)
        ],
    )


def permissions_page() -> str:
    """The page of the AWS permissions that each validator needs."""
    return _generated(
        "Permissions of the validators",
        "The role of the hooks in `template.yaml` has these permissions and those of "
        "Hookgate itself, which [Deploying Hookgate](../deploy.md#permissions) lists "
        "with their resources. Validators that are not in this table make no calls to "
        "AWS.",
        ("validator", "permissions"),
        [
            (f"[{name}]({name}.md)", _code(resolve(name).permissions))
            for name in names()
            if resolve(name).permissions
        ],
    )


def _generated(
    title: str, text: str, header: Sequence[str], rows: Iterable[Sequence[str]]
) -> str:
    text = f"Generated by `make docs`. {text}"
    return f"# {title}\n\n{text}\n\n{_table(header, rows)}\n"


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in words)


def _places() -> dict[str, set[str]]:
    """For each code, links to the validators whose sources use it."""
    found: dict[str, set[str]] = {each.name: set() for each in Code}
    root = Path(hookgate_validators.__path__[0])
    for file in root.rglob("*.py"):
        name = file.relative_to(root).parts[0].removesuffix(".py")
        for code in _CODE.findall(file.read_text("utf-8")):
            found[code].add(f"[{name}]({name}.md)")
    return found


def _when(validator: type[Validator]) -> str:
    when = (
        "It sends requests to the test listener: use it from AfterAllowTestTraffic on."
        if validator.asks_listener
        else "It can be used at every lifecycle event."
    )
    if validator.needs_aws:
        when += " It calls AWS, so `hookgate run` cannot run it."
    if validator.permissions:
        when += f"\n\nPermissions: {_code(validator.permissions)}."
    return when


def _option_table(rows: Iterable[Option], known: Iterable[str]) -> str:
    """A table of options; a type of ``known`` links to its own table."""
    links = {name: f"#{name.lower()}" for name in (each.lstrip("_") for each in known)}
    links |= _ELSEWHERE

    def linked(word: re.Match[str]) -> str:
        return f"[{word[0]}]({links[word[0]]})" if word[0] in links else word[0]

    cells = [
        (
            f"`{each.name}`",
            re.sub(r"\w+", linked, each.kind),
            each.default if each.default in {"", "required"} else f"`{each.default}`",
            each.description,
        )
        for each in rows
    ]
    return _table(("option", "type", "default", "description"), cells)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *(map(_cell, row) for row in rows)]
    return "\n".join(f"| {' | '.join(each)} |" for each in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


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
        pages["permissions.md"] = permissions_page()
    for file, text in pages.items():
        write_text(text, str(Path(folder) / file))


def _list(console: Console) -> None:
    table = Table.grid(padding=(0, 2))
    for each in names():
        table.add_row(each, Text(title(resolve(each))))
    console.print(table)
    console.print("\nhookgate validators NAME shows the options of a validator.")


def _show(console: Console, name: str) -> None:
    validator = resolve(name)
    console.print(Text(name, style="bold"))
    console.print("", Markdown(prose(validator)), "", sep="\n")
    if shown := example(validator):
        console.print(Text(f"{shown}\n", style="cyan"))
    schema = options_schema(validator)
    own, shared = _options_of(schema)
    console.print("Options", style="bold")
    console.print(_options(own) if own else "  None.")
    console.print("\nOptions of every validator", style="bold")
    console.print(_options(shared))
    for inner, definition in schema.get("$defs", {}).items():
        text = f"  {_first_line(definition)}"
        console.print(Text.assemble("\n", (inner.lstrip("_"), "bold"), text))
        console.print(_options(options(definition)))


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
