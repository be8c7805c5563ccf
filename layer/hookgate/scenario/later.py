"""Where a variable stands for what is no text: a bound, a status, a path.

What a variable will hold is not known when a plan is read. What is written with it is
right if there is a value that makes it right, and is read again with the value itself.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError, ValidationInfo, WrapValidator

from hookgate.expectation.conversions import to_number
from hookgate.expectation.value import Unreadable
from hookgate.files import Reading
from hookgate.scenario.variables import names, stood_in

#: A value of each kind that a plan can compare with, as a plan writes it.
_SAMPLES = (1, "200", "$.a", "2026-01-31", "1s", "1B", "00")


def _read(value: Any, handler: Any, info: ValidationInfo) -> Any:
    """Read a value; try what its variables may stand for if it is none as it is."""
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
