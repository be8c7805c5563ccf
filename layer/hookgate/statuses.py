"""HTTP statuses as an option: ``200``, ``2xx``, or a list of both."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from hookgate.codes import Code
from hookgate.errors import InvalidValue

_STATUS = re.compile(r"[1-5](?:\d\d|xx)")
_ONE = {
    "anyOf": [
        {"type": "integer", "minimum": 100, "maximum": 599},
        {"type": "string", "pattern": r"^[1-5](\d\d|xx)$"},
    ]
}


def statuses(value: object) -> tuple[str, ...]:
    """Read statuses and classes of them, as RFC 9110, section 15 counts them.

    Raises:
        ValueError: one is neither.
    """
    many = value if isinstance(value, list | tuple) else [value]
    read = tuple(str(each) for each in many)
    for each in read:
        if not _STATUS.fullmatch(each):
            raise InvalidValue(
                f"{each!r} is not a status: write 200, 2xx or a list of both",
                code=Code.OPTION_STATUS,
            )
    return read


def status_in(status: int, wanted: Collection[str]) -> bool:
    """Whether ``status`` is one of ``wanted``, or of a class of them."""
    return str(status) in wanted or f"{status // 100}xx" in wanted


Statuses = Annotated[
    tuple[str, ...],
    BeforeValidator(statuses),
    WithJsonSchema({"anyOf": [*_ONE["anyOf"], {"type": "array", "items": _ONE}]}),
]
