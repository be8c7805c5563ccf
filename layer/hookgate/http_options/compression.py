"""``compression``: in which encodings an answer may come."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator


def _many(value: Any) -> Any:
    many = value if isinstance(value, list | tuple) else [value]
    if "identity" in many:
        if len(many) > 1:
            raise ValueError("identity means none: give it alone")
        return ()
    if not many:
        raise ValueError("write identity for none")
    return tuple(dict.fromkeys(many))


#: ``gzip``, ``deflate``, ``br``, a list of them, or ``identity`` for none.
Encodings = Annotated[
    tuple[Literal["gzip", "deflate", "br"], ...], BeforeValidator(_many)
]
