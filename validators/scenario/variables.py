r"""``{{name}}``: values that earlier steps of a scenario captured.

Not ``${…}``, which is known before a step starts. ``\{{`` is a literal ``{{``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError, ValidationInfo, WrapValidator

from hookgate.assertions.queries import Unreadable, to_number
from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.files import Reading

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*"

_TOKEN = re.compile(rf"\\\{{\{{|\{{\{{\s*(?P<name>{_NAME})\s*\}}\}}|\{{\{{")

_WHOLE = re.compile(rf"\{{\{{\s*(?P<name>{_NAME})\s*\}}\}}")

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


class NotCaptured(LookupError):
    """A variable has no value; the argument is its name."""


def names(data: Any) -> Iterator[str]:
    """The names of all variables in texts of ``data``.

    Raises:
        ValueError: a ``{{`` is not closed, or what is in it is no name.
    """
    for text in _texts(data):
        for token in _TOKEN.finditer(text):
            if token[0] == "{{":
                start = text[token.start() :][:40]
                raise InvalidValue(
                    f"{start!r} is no variable: write {{{{name}}}}, "
                    r"or \{{ for a literal {{",
                    code=Code.SCENARIO_VARIABLE,
                )
            if token["name"]:
                yield token["name"]


def filled(data: Any, values: Mapping[str, Any], *, in_path: bool = False) -> Any:
    """A copy of ``data`` with the values instead of the variables.

    A text that is one variable becomes its value, of whatever kind; in a longer text
    values are written as JSON has them, and in a path percent-encoded.

    Raises:
        NotCaptured: a variable has no value.
    """
    if isinstance(data, str):
        return _text(data, values, quoted if in_path else written)
    if isinstance(data, dict):
        return {
            key: filled(value, values, in_path=in_path or key == "path")
            for key, value in data.items()
        }
    if isinstance(data, list):
        return [filled(each, values, in_path=in_path) for each in data]
    return data


def stood_in(data: Any, sample: Any) -> Any:
    """A copy of ``data`` with ``sample`` instead of every variable."""
    if isinstance(data, dict):
        return {key: stood_in(each, sample) for key, each in data.items()}
    if isinstance(data, list):
        return [stood_in(each, sample) for each in data]
    if not isinstance(data, str):
        return data
    if _WHOLE.fullmatch(data):
        return sample
    return _TOKEN.sub(lambda token: written(sample) if token["name"] else "{{", data)


def readable(text: str, values: Mapping[str, Any]) -> str:
    """A text for messages; a variable without a value stays unchanged."""

    def put(token: re.Match[str]) -> str:
        try:
            return written(_value(token["name"], values)) if token["name"] else "{{"
        except NotCaptured:
            return token[0]

    return _TOKEN.sub(put, text)


def written(value: Any) -> str:
    """A value inside of a longer text."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def quoted(value: Any) -> str:
    """A value inside of a longer path."""
    return quote(written(value), safe="")


def _text(text: str, values: Mapping[str, Any], write: Callable[[Any], str]) -> Any:
    whole = _WHOLE.fullmatch(text)
    if whole:
        return _value(whole["name"], values)

    def put(token: re.Match[str]) -> str:
        return write(_value(token["name"], values)) if token["name"] else "{{"

    return _TOKEN.sub(put, text)


def _value(name: str, values: Mapping[str, Any]) -> Any:
    head, *rest = name.split(".")
    if head not in values:
        raise NotCaptured(name)
    value = values[head]
    for part in rest:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise NotCaptured(name)
    return value


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, list):
        for each in data:
            yield from _texts(each)


#: A value of each kind that a plan can compare with, as a plan writes it.
_SAMPLES = (1, "200", "$.a", "2026-01-31", "1s", "1B", "00")


def _read(value: Any, handler: Any, info: ValidationInfo) -> Any:
    """Read a value; if it is not valid, try values for its variables."""
    try:
        return handler(value)
    except ValidationError as error:
        least = error
    tried = [_numbered(value)] if Reading.of(info.context).filled else _stood_in(value)
    for each in tried:
        try:
            return handler(each)
        except ValidationError as error:
            least = min(least, error, key=ValidationError.error_count)
    raise least


def _stood_in(value: Any) -> list[Any]:
    return [stood_in(value, each) for each in _SAMPLES if any(names(value))]


def _numbered(value: Any) -> Any:
    """The value with numbers for texts that are numbers: CSV knows texts alone."""
    if isinstance(value, str):
        number = to_number(value)
        return value if isinstance(number, Unreadable) else number
    if isinstance(value, dict):
        return {key: _numbered(each) for key, each in value.items()}
    return [_numbered(each) for each in value] if isinstance(value, list) else value


#: Marks the type of an option that may be written with variables.
LATER = WrapValidator(_read)
