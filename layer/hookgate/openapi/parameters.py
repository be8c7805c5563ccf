"""What is sent for an operation's parameters: the values that the document gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

Parameter = Mapping[str, Any]


@dataclass(slots=True)
class Filled:
    """A path, and what goes with it, or why it cannot be asked for."""

    path: str
    query: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)
    why_not: str = ""

    @property
    def target(self) -> str:
        """The path with its query."""
        query = urlencode(self.query, doseq=True)
        return f"{self.path}?{query}" if query else self.path

    @property
    def said(self) -> Mapping[str, str]:
        """The headers, one of which may hold cookies."""
        own = {"Cookie": "; ".join(self.cookies)} if self.cookies else {}
        return {**self.headers, **own}


def filled(
    pattern: str,
    parameters: Iterable[Parameter],
    resolved: Callable[[Parameter], Parameter],
    given: Mapping[str, Any],
) -> Filled:
    """The path of an operation with a value for each parameter that must be there.

    ``given`` has values by name, which go before the document's.
    Values are written as OpenAPI's defaults have them: ``simple`` in paths and headers,
    ``form`` in queries and cookies (spec.openapis.org/oas/latest.html#style-values).
    """
    made = Filled(path=pattern)
    for each in parameters:
        name = each["name"]
        if not each.get("required") and each["in"] != "path" and name not in given:
            continue
        value = given[name] if name in given else _example(each, resolved)
        if value is None:
            made.why_not = f"its parameter {name} has no example and no default"
        elif isinstance(value, dict):
            made.why_not = f"its parameter {name} is an object"
        elif each["in"] == "path":
            made.path = made.path.replace(f"{{{name}}}", quote(_text(value), safe=","))
        elif each["in"] == "query":
            many = isinstance(value, list)
            made.query[name] = [_text(v) for v in value] if many else _text(value)
        elif each["in"] == "header":
            made.headers[name] = _text(value)
        else:
            made.cookies.append(f"{name}={_text(value)}")
        if made.why_not:
            break
    return made


def _example(parameter: Parameter, resolved: Callable[[Parameter], Parameter]) -> Any:
    """The value that the document itself gives, or None."""
    examples = parameter.get("examples") or {}
    first: Any = next(iter(examples.values()), {}) if isinstance(examples, dict) else {}
    schema = parameter["schema"]
    given = (
        parameter.get("example"),
        resolved(first).get("value"),
        schema.get("example"),
        next(iter(schema.get("examples") or ()), None),
        schema.get("default"),
        schema.get("const"),
        next(iter(schema.get("enum") or ()), None),
    )
    return next((each for each in given if each is not None), None)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_text(each) for each in value)
    return value if isinstance(value, str) else json.dumps(value)
