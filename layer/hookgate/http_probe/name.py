"""The names and paths of a request: what Host, TLS and the request line say."""

from __future__ import annotations

import re

from hookgate.codes import Code
from hookgate.errors import CannotMeasure

_PORT = re.compile(r":\d+\Z")


def host_of(said: str) -> str:
    """The name without its port, as TLS asks for it.

    Raises:
        CannotMeasure: a listener rule's pattern stands where a name is needed.
    """
    if "*" in said or "?" in said:
        raise CannotMeasure(
            f"the listener rule takes any host like {said!r}: set target.host to one "
            "of them",
            code=Code.HTTP_HOST,
        )
    if said.startswith("["):
        return said[1:].partition("]")[0]
    bare = _PORT.sub("", said) if said.count(":") == 1 else said
    return ascii_host(bare)


def ascii_host(said: str) -> str:
    """The host as it goes over the wire: IDNA where it is not ASCII.

    Raises:
        CannotMeasure: it is not a host name.
    """
    if said.isascii():
        return said
    import idna  # noqa: PLC0415 - few hosts need it

    name, colon, port = said.partition(":")
    try:
        return idna.encode(name, uts46=True).decode() + colon + port
    except idna.IDNAError as error:
        raise CannotMeasure(
            f"{said!r} is not a host name: {error}", code=Code.HTTP_HOST
        ) from None


def joined(prefix: str, path: str) -> str:
    """``path`` below the listener rule's ``prefix``, unless it is there already."""
    path = path if path.startswith("/") else f"/{path}"
    prefix = prefix.rstrip("*").rstrip("/")
    if not prefix or re.match(rf"{re.escape(prefix)}(?:[/?#]|\Z)", path):
        return path
    return prefix + path
