"""Cookies as an answer sets them (RFC 6265, 5.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hookgate.expectation.conversions import to_date, to_integer
from hookgate.expectation.value import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One ``Set-Cookie``; the names of ``attributes`` are in lower case."""

    name: str
    value: str
    attributes: Mapping[str, str]


def read_cookie(line: str) -> Cookie | None:
    """Read a ``Set-Cookie``; None for what a browser ignores."""
    pair, *rest = line.split(";")
    name, sign, value = pair.partition("=")
    if not sign or not name.strip():
        return None
    attributes = {
        key.strip().lower(): said.strip()
        for key, _, said in (each.partition("=") for each in rest)
    }
    return Cookie(name=name.strip(), value=value.strip(), attributes=attributes)


def find_cookie(lines: Sequence[str], name: str) -> Cookie | Missing:
    """The cookie of that name, the last one if it is set twice."""
    cookies = [read_cookie(each) for each in lines]
    own = [each for each in cookies if each and each.name == name]
    return own[-1] if own else Missing("the cookie")


def value_of(lines: Sequence[str], name: str) -> Any:
    """The value of a cookie."""
    found = find_cookie(lines, name)
    return found if isinstance(found, Missing) else found.value


def attribute_of(lines: Sequence[str], name: str, attribute: str) -> Any:
    """An attribute of a cookie; ``Secure`` and ``HttpOnly`` are true or missing."""
    found = find_cookie(lines, name)
    if isinstance(found, Missing):
        return found
    said = found.attributes.get(attribute.lower())
    if said is None:
        return Missing(f"its attribute {attribute}")
    if attribute in {"Secure", "HttpOnly"}:
        return True
    if attribute == "Expires":
        return to_date(said)
    return to_integer(said) if attribute == "Max-Age" else said
