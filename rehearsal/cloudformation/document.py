"""A CloudFormation template as plain data, with the place of everything in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.events import AliasEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from hookgate.codes import Code
from hookgate.errors import Place, PlanError, Problem

MOST_BYTES = 1024 * 1024  # CloudFormation's own bound on a template in S3

Path = tuple[str | int, ...]

_HOOK = re.compile(rb"AWS::CodeDeploy::BlueGreen\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateDocument:
    """What a template says, and where; intrinsic functions in their long form."""

    file: str
    data: Mapping[str, Any]
    places: Mapping[Path, Place]

    def place(self, path: Path) -> Place:
        """Where a key or an item stands, or else the nearest thing around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(self.file))


class _Loader(yaml.SafeLoader):
    """Knows ``!Ref`` and its like, and refuses aliases: few lines stand for many."""

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        if self.check_event(AliasEvent):
            raise yaml.YAMLError("it uses an alias; write the value out")
        return super().compose_node(parent, index)


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: Node) -> dict[str, Any]:
    if isinstance(node, ScalarNode):
        value: Any = loader.construct_scalar(node)
        value = value.split(".", 1) if suffix == "GetAtt" else value
    elif isinstance(node, SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, MappingNode)  # noqa: S101 - YAML has no fourth kind
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def read_template(content: bytes, file: str) -> TemplateDocument:
    """Read a template in YAML or JSON.

    Raises:
        PlanError: it is too large, or no YAML or JSON mapping.
    """
    if len(content) > MOST_BYTES:
        raise _wrong(
            Place(file), Code.FILE_SIZE, f"a template has at most {MOST_BYTES} bytes"
        )
    try:
        loader = _Loader(content.replace(b"\t", b" "))
        node = loader.get_single_node()
        data = loader.construct_document(node) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        raise _wrong(
            at, Code.YAML_SYNTAX, f"the template cannot be read: {error.problem}"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _wrong(
            Place(file), Code.YAML_SYNTAX, f"the template cannot be read: {error}"
        ) from None
    if not isinstance(data, dict):
        raise _wrong(
            Place(file),
            Code.YAML_NOT_A_MAPPING,
            "a template is a mapping with Resources and Hooks",
        )
    places = dict(_places(node, (), file))
    return TemplateDocument(file=file, data=data, places=places)


def is_template(content: bytes) -> bool:
    """Whether a file is a template with a blue/green hook, by what only that has."""
    return _HOOK.search(content) is not None


def function_name(template: Mapping[str, Any], value: Any) -> str:
    """The Lambda function that a value names; empty if it names none.

    A reference to a function of the template is its ``FunctionName``, if that is a
    plain text, or else its logical id.
    """
    match value:
        case str():
            return value
        case {"Ref": str(logical)} | {"Fn::GetAtt": [str(logical), *_]}:
            resource = (template.get("Resources") or {}).get(logical) or {}
            named = (resource.get("Properties") or {}).get("FunctionName")
            return named if isinstance(named, str) else logical
        case {"Fn::Sub": str(text)}:
            return text
    return ""


def _places(node: Node | None, path: Path, file: str) -> Iterator[tuple[Path, Place]]:
    if node is None:
        return
    yield path, Place(file, node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, MappingNode):
        for key, value in node.value:
            mark = key.start_mark
            below = (*path, str(key.value))
            yield from _places(value, below, file)
            yield below, Place(file, mark.line + 1, mark.column + 1)
    elif isinstance(node, SequenceNode):
        for index, each in enumerate(node.value):
            yield from _places(each, (*path, index), file)


def _wrong(place: Place, code: Code, what: str) -> PlanError:
    return PlanError(Problem(place, code, what))
