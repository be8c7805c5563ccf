"""The options of a JSON Schema, as the reference shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true | false",
    "object": "mapping",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option: its name, type, default and description."""

    name: str
    kind: str
    default: str
    description: str


def options(schema: Mapping[str, Any]) -> tuple[Option, ...]:
    """The options of an object's schema."""
    required = set(schema.get("required", ()))
    return tuple(
        Option(
            name=name,
            kind=kind(field),
            default="required" if name in required else _short(field.get("default")),
            description=field.get("description", ""),
        )
        for name, field in schema.get("properties", {}).items()
    )


def kind(field: Mapping[str, Any]) -> str:
    """The type of a field, in a few words."""
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
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
