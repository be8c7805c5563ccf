"""Bounds as a plan writes them: ``"< 300ms"``, ``">= 100"``, ``"< 0.1%"``.

The one place that knows the signs; ``=`` is read as ``==``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.units import duration, seconds_text

_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_SIGN = re.compile(r"\s*(<=|>=|==|!=|<|>|=)\s*([^\s=].*?)\s*")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?")
_PER_CENT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*%")


@dataclass(frozen=True, slots=True)
class Bound:
    """What a number must be; ``unit`` is how it is said: ``s``, ``%`` or nothing."""

    sign: str
    value: float
    unit: str = ""

    def holds(self, number: float) -> bool:
        """Whether ``number``, in this bound's unit, keeps the bound; NaN keeps none."""
        return kept(self.sign, number, self.value)

    def said(self, number: float) -> str:
        """A number as a person reads it, in this bound's unit."""
        if self.unit == "s":
            return seconds_text(number)
        return f"{number:.6g}{self.unit}"

    def __str__(self) -> str:
        """The bound as the plan writes it."""
        return f"{self.sign} {self.said(self.value)}"


def kept(sign: str, number: float, limit: float) -> bool:
    """Whether ``number`` is to ``limit`` as the sign says; NaN never is."""
    return number == number and _SIGNS[sign](number, limit)  # noqa: PLR0124 - NaN


def signed(value: object, example: str) -> tuple[str, str]:
    """The sign of a bound, ``=`` as ``==``, and the text after it.

    Args:
        value: what the plan has.
        example: what to write instead of what is no bound.

    Raises:
        ValueError: it is no text, or has no sign.
    """
    if not isinstance(value, str):
        raise InvalidValue(
            f"a bound is text such as {example!r}; put it in quotes",
            code=Code.OPTION_BOUND,
        )
    match = _SIGN.fullmatch(value)
    if not match:
        raise InvalidValue(
            f"{value!r} is not a bound; write {example!r}, with <, <=, >, >=, == or !=",
            code=Code.OPTION_BOUND,
        )
    return "==" if match[1] == "=" else match[1], match[2]


def number_bound(value: object) -> Bound:
    """Read ``"< 5"`` or ``">= 100"``.

    Raises:
        ValueError: not a bound on a number.
    """
    if isinstance(value, Bound):
        return value
    sign, text = signed(value, "< 5")
    if not _NUMBER.fullmatch(text):
        raise InvalidValue(
            f"{text!r} is not a number without a unit; write '{sign} 5'",
            code=Code.OPTION_BOUND,
        )
    return Bound(sign, float(text))


def duration_bound(value: object) -> Bound:
    """Read ``"< 300ms"``; the value is in seconds.

    Raises:
        ValueError: not a bound on a duration.
    """
    if isinstance(value, Bound):
        return value
    sign, text = signed(value, "< 300ms")
    if _NUMBER.fullmatch(text):
        raise InvalidValue(
            f"{text} has no unit; write a bound such as '{sign} 300ms'",
            code=Code.OPTION_BOUND,
        )
    return Bound(sign, duration(text), "s")


def percentage_bound(value: object) -> Bound:
    """Read ``"< 0.1%"``; the value is in per cent, and may be over 100.

    Raises:
        ValueError: not a bound on a percentage.
    """
    if isinstance(value, Bound):
        return value
    sign, text = signed(value, "< 0.1%")
    match = _PER_CENT.fullmatch(text)
    if not match:
        raise InvalidValue(
            f"{text!r} is not a percentage; write '{sign} 0.1%'", code=Code.OPTION_BOUND
        )
    return Bound(sign, float(match[1]), "%")


def _in_a_schema(*examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "examples": list(examples)})


_SAID = PlainSerializer(str, return_type=str)
NumberBound = Annotated[
    Bound, BeforeValidator(number_bound), _SAID, _in_a_schema("< 5", ">= 100")
]
DurationBound = Annotated[
    Bound, BeforeValidator(duration_bound), _SAID, _in_a_schema("< 300ms")
]
PercentageBound = Annotated[
    Bound, BeforeValidator(percentage_bound), _SAID, _in_a_schema("< 0.1%")
]
