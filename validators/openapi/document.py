"""A service's OpenAPI document: its operations, and the check of responses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from hookgate import CannotMeasure, Reply
from hookgate.codes import Code
from hookgate.errors import PlanError
from hookgate.yaml_reader import Dialect, load

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
    def all_headers(self) -> Mapping[str, str]:
        """The headers, with one for the cookies."""
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


_SHOWN = 60

#: As many keys and values as a large company's whole API has, and its depth.
_YAML = Dialect(
    starts="openapi: 3.1.0",
    most_bytes=64 * 2**20,  # ``max_body`` is the bound
    most_nodes=200_000,
    deepest=100,
    aliases=True,
    text_keys=True,
)


def read(body: bytes) -> dict[str, Any]:
    """The document.

    Raises:
        CannotMeasure: it is neither JSON nor YAML, no mapping, beyond bounds, or leads
            outside of itself.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CannotMeasure(
            "the OpenAPI document is not UTF-8", code=Code.OPENAPI_DOCUMENT
        ) from None
    data = _of_json(text) if text.lstrip().startswith("{") else _of_yaml(text)
    if not isinstance(data, dict):
        start = repr(text.strip()[:_SHOWN])
        raise CannotMeasure(
            f"the OpenAPI document is not a mapping: {start}",
            code=Code.OPENAPI_DOCUMENT,
        )
    stray = next(
        (each for each in _references(data) if not each.startswith("#/")), None
    )
    if stray is not None:
        # A reference could have the gate ask any address, or read any file.
        raise CannotMeasure(
            f"the OpenAPI document refers to {stray[:200]!r}, outside of itself: "
            "bundle it",
            code=Code.OPENAPI_DOCUMENT,
        )
    return data


def _of_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CannotMeasure(
            f"the OpenAPI document is not JSON: {error}", code=Code.OPENAPI_DOCUMENT
        ) from None


def _of_yaml(text: str) -> Any:
    try:
        return load(text, "the document", _YAML).data
    except PlanError as error:
        raise CannotMeasure(
            f"the OpenAPI document cannot be read: {error.problems[0]}",
            code=Code.OPENAPI_DOCUMENT,
        ) from None


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


#: RFC 9110, 9.2.1: asking changes nothing. TRACE is left out, as load balancers do.
SAFE = ("get", "head", "options")

_UNSAFE = ("post", "put", "patch", "delete", "trace")

_HOST = "http://service"

_DEEPEST_REF = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation: its request, or the reason why it cannot be called."""

    method: str
    pattern: str
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    why_not: str = ""

    @property
    def is_safe(self) -> bool:
        """Whether asking changes nothing."""
        return self.method in SAFE

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
        body: the document, as JSON or YAML.
        place: the path that it was read from, to which its servers may be relative.
        base: what goes before each path; if None, the path of its first server.
        parameters: values for parameters by name, before the document's own.

    Raises:
        CannotMeasure: it is no OpenAPI document, or leads outside of itself.
    """

    def __init__(
        self,
        body: bytes,
        place: str = "/",
        base: str | None = None,
        parameters: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self._data = read(body)
        self._given = parameters
        path = _base(self._data, place) if base is None else base
        self._base = path.rstrip("/")
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
        """The differences between a response and the document."""
        if reply.status >= 500:
            yield f"got {reply.status}, a server error"
            return
        if operation.method == "head":
            item = self._resolved(self._data["paths"][operation.pattern])
            documented = {
                str(each).upper() for each in item["head"].get("responses", {})
            }
            if not documented & {
                str(reply.status),
                f"{reply.status // 100}XX",
                "DEFAULT",
            }:
                yield f"got {reply.status}, which the document does not contain"
            return
        asked = _Asked(operation.method, urlsplit(operation.path).path)
        answered = _Answered(
            reply.body, reply.status, reply.headers, reply.header("Content-Type") or ""
        )
        for error in self._openapi.iter_apicall_response_errors(asked, answered):
            yield _message(error)

    def _checker(self) -> Any:
        from openapi_core import OpenAPI  # noqa: PLC0415 - in the second layer

        try:
            checker = OpenAPI.from_dict(self._data)
            checker.check_spec()
        # The document is the service's: whatever is wrong with it, say so.
        except Exception as error:  # noqa: BLE001 - as above
            what = str(error).partition("\n")[0][:300] or type(error).__name__
            raise CannotMeasure(
                f"no OpenAPI document that can be used: {what}",
                code=Code.OPENAPI_DOCUMENT,
            ) from None
        return checker

    def _operation(
        self, method: str, pattern: str, item: Mapping[str, Any]
    ) -> Operation:
        operation = item[method]
        why = self._why_not(method, item, operation)
        if why:
            return Operation(method=method, pattern=pattern, why_not=why)
        found = filled(
            pattern, self._parameters(item, operation), self._resolved, self._given
        )
        return Operation(
            method=method,
            pattern=pattern,
            path=self._base + found.target,
            headers=found.all_headers,
            why_not=found.why_not,
        )

    def _why_not(
        self, method: str, item: Mapping[str, Any], operation: Mapping[str, Any]
    ) -> str:
        if method not in SAFE:
            return "it is not safe"
        if "servers" in item or "servers" in operation:
            return "it has servers of its own"
        return "it needs a body" if operation.get("requestBody") else ""

    def _parameters(
        self, item: Mapping[str, Any], operation: Mapping[str, Any]
    ) -> Iterator[Mapping[str, Any]]:
        """Those of the operation, and of its path where it does not say otherwise."""
        found = {}
        for each in (*item.get("parameters", ()), *operation.get("parameters", ())):
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
            try:
                for part in str(value["$ref"])[2:].split("/"):
                    where = where[part.replace("~1", "/").replace("~0", "~")]
            except (LookupError, TypeError):
                raise CannotMeasure(
                    f"the OpenAPI document refers to {str(value['$ref'])[:200]!r}, "
                    "which is not in it",
                    code=Code.OPENAPI_DOCUMENT,
                ) from None
            value = where
        raise CannotMeasure(
            "the OpenAPI document's references go round in a circle",
            code=Code.OPENAPI_DOCUMENT,
        )


def _base(data: Mapping[str, Any], place: str) -> str:
    """The path of the first server, with its variables' defaults."""
    servers = data.get("servers")
    first = servers[0] if isinstance(servers, list) and servers else {}
    if not isinstance(first, dict):
        return ""
    url, variables = str(first.get("url", "/")), first.get("variables")
    for name, each in variables.items() if isinstance(variables, dict) else ():
        default = each.get("default", "") if isinstance(each, dict) else ""
        url = url.replace(f"{{{name}}}", str(default))
    try:
        return urlsplit(urljoin(_HOST + place, url)).path
    except ValueError as error:
        raise CannotMeasure(
            f"the OpenAPI document's server {url[:200]!r} is no URL: {error}",
            code=Code.OPENAPI_DOCUMENT,
        ) from None


def _message(error: BaseException) -> str:
    """An error of openapi-core, with what its causes know better."""
    inner = error.__cause__
    found = getattr(inner, "schema_errors", None) or getattr(
        error, "schema_errors", None
    )
    messages = [
        f"{getattr(each, 'json_path', '$')}: {each.message}"[:300]
        for each in list(found or ())[:5]
    ]
    return "; ".join(messages) or str(inner or error)[:300]
