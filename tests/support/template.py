"""template.yaml as plain data, and the packages that it must match."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


class _Loader(yaml.SafeLoader):
    """Reads ``!Ref x`` as ``{"Ref": "x"}``, and so on."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)


def read(path: Path) -> dict[str, Any]:
    """A CloudFormation template, with its short forms written out."""
    template: dict[str, Any] = yaml.load(
        path.read_text(),
        Loader=_Loader,  # noqa: S506 - a SafeLoader with CloudFormation's tags
    )
    return template


@cache
def template() -> dict[str, Any]:
    """The project's own template."""
    return read(ROOT / "template.yaml")


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of the resources of a type, by logical id."""
    return {
        name: each["Properties"]
        for name, each in template()["Resources"].items()
        if each["Type"] == kind
    }


def parameter(name: str) -> dict[str, Any]:
    """A parameter's declaration."""
    declared: dict[str, Any] = template()["Parameters"][name]
    return declared


def statements(role: str) -> Iterator[dict[str, Any]]:
    """The policy statements of a role, those under a condition too."""
    for policy in of_type("AWS::IAM::Role")[role]["Policies"]:
        for each in policy["PolicyDocument"]["Statement"]:
            yield each["Fn::If"][1] if "Fn::If" in each else each


def actions(role: str, effect: str = "Allow") -> set[str]:
    """What a role may do, or may not."""
    return {
        action
        for each in statements(role)
        if each["Effect"] == effect
        for action in listed(each["Action"])
    }


def listed(value: Any) -> list[Any]:
    """A value that IAM lets stand alone or in a list."""
    return value if isinstance(value, list) else [value]


def sub(text: str, **values: str) -> str:
    """``Fn::Sub`` with values; a name without one stands for itself."""
    return re.sub(r"\$\{([\w:.]+)\}", lambda m: values.get(m[1], m[1]), text)
