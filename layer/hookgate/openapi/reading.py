"""A document as its service serves it, JSON or YAML, as plain data within bounds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from hookgate.codes import Code
from hookgate.errors import CannotMeasure
from hookgate.expectation.conversions import to_number
from hookgate.expectation.value import Unreadable

#: As many keys and values as a large company's whole API has, and its depth.
_MOST = 200_000
_DEEPEST = 100
_SHOWN = 60
#: The core schema of YAML 1.2, but for numbers (yaml.org/spec/1.2.2/#103-core-schema).
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def read(body: bytes) -> dict[str, Any]:
    """The document.

    Raises:
        CannotMeasure: it is neither JSON nor YAML, no mapping, beyond bounds, or leads
            outside of itself.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CannotMeasure(
            "the OpenAPI document is not UTF-8", code=Code.OPENAPI_DOCUMENT
        ) from None
    data = _of_json(text) if text.lstrip().startswith("{") else _of_yaml(text)
    if not isinstance(data, dict):
        said = repr(text.strip()[:_SHOWN])
        raise CannotMeasure(
            f"the OpenAPI document is not a mapping: {said}", code=Code.OPENAPI_DOCUMENT
        )
    stray = next(
        (each for each in _references(data) if not each.startswith("#/")), None
    )
    if stray is not None:
        # A reference could have the gate ask any address, or read any file.
        raise CannotMeasure(
            f"the OpenAPI document refers to {stray[:200]!r}, outside of itself: "
            "bundle it",
            code=Code.OPENAPI_DOCUMENT,
        )
    return data


def _of_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CannotMeasure(
            f"the OpenAPI document is not JSON: {error}", code=Code.OPENAPI_DOCUMENT
        ) from None


def _of_yaml(text: str) -> Any:
    import yaml  # noqa: PLC0415 - most documents are JSON

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _built(yaml.parse(text, Loader=loader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        what = getattr(error, "problem", None) or error
        raise CannotMeasure(
            f"the OpenAPI document is neither JSON nor YAML: {what}{where}",
            code=Code.OPENAPI_DOCUMENT,
        ) from None


def _built(events: Iterable[Any]) -> Any:
    """Plain data from YAML's events, without recursion: no object is constructed."""
    import yaml  # noqa: PLC0415 - as above

    top: list[Any] = []
    opened: list[list[Any] | dict[str, Any]] = [top]
    keys: list[str | None] = [None]
    for number, event in enumerate(events):
        if isinstance(event, yaml.CollectionEndEvent):
            opened.pop()
            keys.pop()
        if not isinstance(event, yaml.NodeEvent):
            continue
        _demand(event, number, len(opened))
        into, key = opened[-1], keys[-1]
        if isinstance(into, dict) and key is None:
            keys[-1] = _key(event)
            continue
        value = _value(event)
        if isinstance(into, dict):
            into[key or ""], keys[-1] = value, None
        else:
            into.append(value)
        if isinstance(event, yaml.CollectionStartEvent):
            opened.append(value)
            keys.append(None)
    return top[0] if len(top) == 1 else None


def _demand(event: Any, number: int, depth: int) -> None:
    """Refuse what could be made to grow without end."""
    at = f"line {event.start_mark.line + 1}"
    if type(event).__name__ == "AliasEvent":
        raise CannotMeasure(
            f"the OpenAPI document has a YAML alias (*{event.anchor}, {at}), which can "
            "be made to grow without end: serve it written out, or as JSON",
            code=Code.OPENAPI_DOCUMENT,
        )
    if number > _MOST or depth > _DEEPEST:
        raise CannotMeasure(
            f"the OpenAPI document is larger than {_MOST} keys and values, or deeper "
            f"than {_DEEPEST}, at {at}",
            code=Code.OPENAPI_DOCUMENT,
        )


def _key(event: Any) -> str:
    if not hasattr(event, "value"):
        line = event.start_mark.line + 1
        raise CannotMeasure(
            f"the OpenAPI document has a key that is no text, line {line}",
            code=Code.OPENAPI_DOCUMENT,
        )
    # A status such as 200 is a key without quotes in most documents.
    return str(event.value)


def _value(event: Any) -> Any:
    if not hasattr(event, "value"):
        return {} if type(event).__name__ == "MappingStartEvent" else []
    text: str = event.value
    # A plain scalar has the style None, or "" from libyaml.
    if event.style or event.tag:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    number = to_number(text)
    return text if isinstance(number, Unreadable) else number


def _references(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            named = (each.get(key) for key in ("$ref", "$dynamicRef", "$recursiveRef"))
            yield from (name for name in named if isinstance(name, str))
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
