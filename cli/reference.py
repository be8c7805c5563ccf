"""A validator's reference page, made from its docstring and its options."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.options import Option, options
from cli.schema import add_units
from hookgate.registry import resolve
from hookgate.validator import Validator

_EXAMPLE = "\nExample:\n"
_SHARED = Validator.model_fields
_SHARED_TITLE = (
    "## Options of every validator\n\n[What they mean](../semantics.md), and with what "
    "defaults here."
)
# One page has them for all validators.
_GRAMMAR = {"Expectation", "Must", "Capture", "Filtered"}
_GRAMMAR_SAID = (
    "Expectations and captures have a [page of their own](../expectations.md)."
)


def title(validator: type[Validator]) -> str:
    """The question that a validator asks."""
    return (inspect.getdoc(validator) or "").partition("\n")[0]


def prose(validator: type[Validator]) -> str:
    """What a validator's docstring says beside its example."""
    return (inspect.getdoc(validator) or "").partition(_EXAMPLE)[0].strip()


def example(validator: type[Validator]) -> str:
    """The steps that a validator's docstring gives as its example, in YAML."""
    said = (inspect.getdoc(validator) or "").partition(_EXAMPLE)[2]
    return textwrap.dedent(said).strip()


def schema_of(validator: type[Validator]) -> dict[str, Any]:
    """The JSON Schema of a validator's options, with units in the defaults."""
    schema = validator.model_json_schema(by_alias=True)
    add_units(schema)
    return schema


def page(name: str) -> str:
    """The reference page of the validator called ``name``, in Markdown.

    Raises:
        InputError: there is none of that name.
    """
    validator = resolve(name)
    return "\n".join(_lines(name, validator)).rstrip() + "\n"


def index(names: Sequence[str]) -> str:
    """The page that leads to the others."""
    lines = [
        "# The validators",
        "",
        "Made from the code by `make docs`; `hookgate validators NAME` shows the same.",
        "",
        "| validator | asks |",
        "|---|---|",
    ]
    lines += [f"| [{each}]({each}.md) | {title(resolve(each))} |" for each in names]
    return "\n".join(lines) + "\n"


def _lines(name: str, validator: type[Validator]) -> Iterator[str]:
    yield f"# {name}"
    yield ""
    yield prose(validator)
    yield ""
    yield _when(validator)
    if shown := example(validator):
        yield from ("", "## Example", "", "```yaml", shown, "```")
    schema = schema_of(validator)
    known = options(schema)
    yield from ("", "## Options", "")
    yield from _table([each for each in known if each.name not in _SHARED])
    yield from ("", _SHARED_TITLE, "")
    yield from _table([each for each in known if each.name in _SHARED])
    definitions = schema.get("$defs", {})
    if _GRAMMAR & definitions.keys():
        yield from ("", _GRAMMAR_SAID)
    for inner, definition in definitions.items():
        if definition.get("properties") and inner not in _GRAMMAR:
            yield from ("", f"### {inner.lstrip('_')}", "")
            yield from (definition.get("description", "").partition("\n")[0], "")
            yield from _table(options(definition))


def _when(validator: type[Validator]) -> str:
    asks = (
        "It asks the test listener: use it from AfterAllowTestTraffic on."
        if validator.asks_listener
        else "It can be used at every lifecycle event."
    )
    if validator.needs_aws:
        asks += " It asks AWS, so `hookgate run` alone cannot judge it."
    return asks


def _table(rows: Sequence[Option]) -> Iterator[str]:
    if not rows:
        yield "None."
        return
    yield "| option | type | default | |"
    yield "|---|---|---|---|"
    for each in rows:
        default = (
            each.default if each.default in {"", "required"} else f"`{each.default}`"
        )
        cells: Mapping[str, str] = {
            "name": f"`{each.name}`",
            "kind": each.kind,
            "default": default,
            "description": each.description,
        }
        yield "| " + " | ".join(_cell(text) for text in cells.values()) + " |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
