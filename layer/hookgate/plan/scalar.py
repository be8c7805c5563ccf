"""What a plain word in a plan means: the core schema of YAML 1.2, and no more.

``no``, ``on``, ``1:30`` and ``2026-01-01`` are text here, as they look.
https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

import math
import re

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

#: No option needs more digits, and reading millions of them takes time.
_MOST_DIGITS = 40

Scalar = str | int | float | bool | None


def plain(text: str) -> Scalar:
    """Read a scalar without quotes.

    Raises:
        ValueError: infinite, not a number, or more digits than anyone needs.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is no number a gate can compare with; write a number")
    if not _FLOAT.fullmatch(text) and not _OTHER_BASE.fullmatch(text):
        return text
    if len(text) > _MOST_DIGITS:
        raise ValueError(
            f"a number of {len(text)} digits; put it in quotes if it is text"
        )
    return _number(text)


def _number(text: str) -> int | float:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is larger than any number a gate can compare with")
    return number
