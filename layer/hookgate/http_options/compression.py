"""``compression``: in which encodings an answer may come."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from hookgate.codes import Code
from hookgate.errors import InvalidValue


def _many(value: Any) -> Any:
    many = value if isinstance(value, list | tuple) else [value]
    if "identity" in many:
        if len(many) > 1:
            raise InvalidValue(
                "identity means none: give it alone", code=Code.OPTION_TOGETHER
            )
        return ()
    if not many:
        raise InvalidValue("write identity for none", code=Code.OPTION_TOGETHER)
    return tuple(dict.fromkeys(many))


#: ``gzip``, ``deflate``, ``br``, a list of them, or ``identity`` for none.
Encodings = Annotated[
    tuple[Literal["gzip", "deflate", "br"], ...], BeforeValidator(_many)
]
