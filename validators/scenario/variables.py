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
        ValueError: a ``{{`` is not closed, or does not contain a name.
    """
    for text in _texts(data):
        for token in _TOKEN.finditer(text):
            if token[0] == "{{":
                start = text[token.start() :][:40]
                raise InvalidValue(
                    f"{start!r} is not a variable: write {{{{name}}}}, "
                    r"or \{{ for a literal {{",
                    code=Code.SCENARIO_VARIABLE,
                )
            if token["name"]:
                yield token["name"]


def filled(
    data: Any, values: Mapping[str, Any], write: Callable[[Any], str] | None = None
) -> Any:
    """A copy of ``data`` with the values instead of the variables.

    A text that is one variable becomes its value, of any kind; in a longer text,
    ``write`` converts values to text, by default to JSON.

    Raises:
        NotCaptured: a variable has no value.
    """

    def fill(text: str) -> Any:
        if whole := _WHOLE.fullmatch(text):
            return _value(whole["name"], values)
        return _substituted(text, lambda name: (write or written)(_value(name, values)))

    return _mapped(data, fill)


def stood_in(data: Any, sample: Any) -> Any:
    """A copy of ``data`` with ``sample`` instead of every variable."""

    def fill(text: str) -> Any:
        if _WHOLE.fullmatch(text):
            return sample
        return _substituted(text, lambda _: written(sample))

    return _mapped(data, fill)


def readable(text: str, values: Mapping[str, Any]) -> str:
    """A text for messages; a variable without a value stays unchanged."""

    def fill(name: str) -> str:
        try:
            return written(_value(name, values))
        except NotCaptured:
            return f"{{{{{name}}}}}"

    return _substituted(text, fill)


def written(value: Any) -> str:
    """A value inside a longer text."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def quoted(value: Any) -> str:
    """A value inside a longer path."""
    return quote(written(value), safe="")


def _substituted(text: str, value_of: Callable[[str], str]) -> str:
    return _TOKEN.sub(
        lambda token: value_of(token["name"]) if token["name"] else "{{", text
    )


def _mapped(data: Any, change: Callable[[str], Any]) -> Any:
    """A copy of ``data`` with each text changed."""
    if isinstance(data, dict):
        return {key: _mapped(each, change) for key, each in data.items()}
    if isinstance(data, list):
        return [_mapped(each, change) for each in data]
    return change(data) if isinstance(data, str) else data


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
    if Reading.of(info.context).filled:
        tried = [_mapped(value, _number_in)]
    else:
        tried = [stood_in(value, each) for each in _SAMPLES if any(names(value))]
    for each in tried:
        try:
            return handler(each)
        except ValidationError as error:
            least = min(least, error, key=ValidationError.error_count)
    raise least


def _number_in(text: str) -> Any:
    """The number that a text is, or the text: values from CSV files are texts."""
    number = to_number(text)
    return text if isinstance(number, Unreadable) else number


#: Marks the type of an option that may be written with variables.
LATER = WrapValidator(_read)
