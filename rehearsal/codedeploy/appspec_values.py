"""What stands in an AppSpec, and is refused where it is something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class AppSpecError(ValueError):
    """The AppSpec cannot be deployed; the message says what is wrong with it."""


def lowered(value: Any) -> Any:
    """The same with every key in lower case."""
    if isinstance(value, Mapping):
        return {str(key).lower(): lowered(item) for key, item in value.items()}
    if isinstance(value, list):
        return [lowered(item) for item in value]
    return value


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """A value that must be a mapping.

    Raises:
        AppSpecError: It is something else.
    """
    if not isinstance(value, Mapping):
        raise AppSpecError(f"{what} must be a mapping")
    return value


def text(given: Mapping[str, Any], key: str, name: str) -> str:
    """A text that must be there.

    Raises:
        AppSpecError: It is missing, empty or something else.
    """
    value = given.get(key)
    if not isinstance(value, str) or not value:
        raise AppSpecError(f"{name} is missing or empty")
    return value


def texts(given: Mapping[str, Any], key: str, name: str) -> list[str]:
    """A list of texts that must be there, if only empty.

    Raises:
        AppSpecError: It is missing or something else.
    """
    value = given.get(key)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise AppSpecError(f"{name} must be a list of texts")
    return value


def number(given: Mapping[str, Any], key: str, name: str) -> int:
    """A whole number from 0 on; 0 where there is none.

    Raises:
        AppSpecError: It is something else.
    """
    value = given.get(key, 0)
    try:
        found = int(value)
    except (TypeError, ValueError):
        found = -1
    if found < 0:
        raise AppSpecError(f"{name} must be a whole number from 0 on, not {value!r}")
    return found
