"""A service's own OpenAPI document: what can be asked, and who checks answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from hookgate.errors import CannotMeasure
from hookgate.probe import Reply

#: RFC 9110, 9.2.1: asking changes nothing. TRACE is left out, as load balancers do.
SAFE = ("get", "head", "options")
_UNSAFE = ("post", "put", "patch", "delete", "trace")
_HOST = "http://service"
_DEEPEST_REF = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation: what to ask, or why it is not asked."""

    method: str
    pattern: str
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    why_not: str = ""

    def __str__(self) -> str:
        """The operation as a person would name it."""
        return f"{self.method.upper()} {self.pattern}"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request as openapi-core reads it."""

    method: str
    path: str
    content_type: str = ""
    body: bytes | None = None
    host_url: str = _HOST
    parameters: Any = None


@dataclass(frozen=True, slots=True)
class _Answered:
    """An answer as openapi-core reads it."""

    data: bytes
    status_code: int
    headers: Mapping[str, str]
    content_type: str


class OpenApiDocument:
    """A document that was read, with its operations.

    Args:
        body: the document, as JSON.

    Raises:
        CannotMeasure: it is no OpenAPI document, or leads outside of itself.
    """

    def __init__(self, body: bytes) -> None:
        self._data = _read(body)
        servers = self._data.get("servers") or [{}]
        self._base = urlsplit(str(servers[0].get("url", ""))).path.rstrip("/")
        self._data["servers"] = [{"url": _HOST + self._base}]
        self._openapi = self._checker()

    def operations(self) -> Iterator[Operation]:
        """Every operation, in the document's order."""
        for pattern, written in self._data.get("paths", {}).items():
            item = self._resolved(written)
            for method in (*SAFE, *_UNSAFE):
                if method in item:
                    yield self._operation(method, pattern, item)

    def faults(self, operation: Operation, reply: Reply) -> Iterator[str]:
        """What in an answer is not as the document says."""
        if reply.status >= 500:
            yield f"it answered {reply.status}, an error of its own"
            return
        if operation.method == "head":
            item = self._resolved(self._data["paths"][operation.pattern])
            told = {str(each).upper() for each in item["head"].get("responses", {})}
            if not told & {str(reply.status), f"{reply.status // 100}XX", "DEFAULT"}:
                yield f"it answered {reply.status}, which the document does not name"
            return
        asked = _Asked(operation.method, urlsplit(operation.path).path)
        answered = _Answered(
            reply.body, reply.status, reply.headers, reply.header("Content-Type") or ""
        )
        for error in self._openapi.iter_apicall_response_errors(asked, answered):
            yield _told(error)

    def _checker(self) -> Any:
        from openapi_core import OpenAPI  # noqa: PLC0415 - in the second layer

        try:
            checker = OpenAPI.from_dict(self._data)
            checker.check_spec()
        # The document is the service's: whatever is wrong with it, say so.
        except Exception as error:  # noqa: BLE001 - as above
            what = str(error).partition("\n")[0][:300] or type(error).__name__
            raise CannotMeasure(
                f"no OpenAPI document that can be used: {what}"
            ) from None
        return checker

    def _operation(
        self, method: str, pattern: str, item: Mapping[str, Any]
    ) -> Operation:
        said = item[method]
        why = self._why_not(method, item, said)
        if why:
            return Operation(method=method, pattern=pattern, why_not=why)
        path, query, headers = pattern, {}, {}
        for each in self._parameters(item, said):
            value = _example(each)
            if value is None and (each.get("required") or each["in"] == "path"):
                lacks = f"its parameter {each['name']} has no example and no default"
                return Operation(method=method, pattern=pattern, why_not=lacks)
            if each["in"] == "path":
                path = path.replace(f"{{{each['name']}}}", quote(_text(value), safe=""))
            elif each.get("required") and each["in"] == "query":
                query[each["name"]] = value
            elif each.get("required") and each["in"] == "header":
                headers[each["name"]] = _text(value)
            elif each.get("required"):
                headers["Cookie"] = f"{each['name']}={_text(value)}"
        asked = (
            self._base + path + ("?" + urlencode(query, doseq=True) if query else "")
        )
        return Operation(method=method, pattern=pattern, path=asked, headers=headers)

    def _why_not(
        self, method: str, item: Mapping[str, Any], said: Mapping[str, Any]
    ) -> str:
        if method not in SAFE:
            return "it is not safe"
        if "servers" in item or "servers" in said:
            return "it has servers of its own"
        return "it needs a body" if said.get("requestBody") else ""

    def _parameters(
        self, item: Mapping[str, Any], said: Mapping[str, Any]
    ) -> Iterator[Mapping[str, Any]]:
        """Those of the operation, and of its path where it does not say otherwise."""
        found = {}
        for each in (*item.get("parameters", ()), *said.get("parameters", ())):
            parameter = self._resolved(each)
            found[parameter["in"], parameter["name"]] = {
                **parameter,
                "schema": self._resolved(parameter.get("schema", {})),
            }
        yield from found.values()

    def _resolved(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        for _ in range(_DEEPEST_REF):
            if "$ref" not in value:
                return value
            where: Any = self._data
            for part in str(value["$ref"])[2:].split("/"):
                where = where[part.replace("~1", "/").replace("~0", "~")]
            value = where
        raise CannotMeasure("the OpenAPI document's references go round in a circle")


def _read(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise CannotMeasure(f"the OpenAPI document is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise CannotMeasure("the OpenAPI document is not an object")
    stray = next(
        (each for each in _references(data) if not each.startswith("#/")), None
    )
    if stray is not None:
        # A reference could have the gate ask any address, or read any file.
        raise CannotMeasure(
            f"the OpenAPI document refers to {stray[:200]!r}, outside of itself: "
            "bundle it"
        )
    return data


def _references(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            named = (each.get(key) for key in ("$ref", "$dynamicRef", "$recursiveRef"))
            yield from (name for name in named if isinstance(name, str))
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each


def _example(parameter: Mapping[str, Any]) -> Any:
    """The value that the document itself gives, or None."""
    examples = parameter.get("examples") or {}
    first: Any = next(iter(examples.values()), {}) if isinstance(examples, dict) else {}
    schema = parameter["schema"]
    given = (
        parameter.get("example"),
        first.get("value"),
        schema.get("example"),
        next(iter(schema.get("examples") or ()), None),
        schema.get("default"),
    )
    return next((each for each in given if each is not None), None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _told(error: BaseException) -> str:
    """An error of openapi-core, with what its causes know better."""
    inner = error.__cause__
    found = getattr(inner, "schema_errors", None) or getattr(
        error, "schema_errors", None
    )
    told = [
        f"{getattr(each, 'json_path', '$')}: {each.message}"[:300]
        for each in list(found or ())[:5]
    ]
    return "; ".join(told) or str(inner or error)[:300]
