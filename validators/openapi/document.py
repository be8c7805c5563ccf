"""A service's OpenAPI document: its operations, and the check of responses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType, SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from hookgate import CannotMeasure, Reply
from hookgate.codes import Code
from hookgate.errors import PlanError
from hookgate.redaction import masked
from hookgate.yaml_reader import Dialect, load

#: As many keys and values as a large company's whole API has, and its depth.
_YAML = Dialect(
    starts="openapi: 3.1.0",
    most_bytes=64 * 2**20,  # ``max_body`` is the bound
    most_nodes=200_000,
    deepest=100,
    aliases=True,
    text_keys=True,
)

#: RFC 9110, 9.2.1: they change nothing. TRACE is left out, as load balancers do.
SAFE = ("get", "head", "options")

_UNSAFE = ("post", "put", "patch", "delete", "trace")

_HOST = "http://service"

_DEEPEST_REF = 20


def _unusable(what: str) -> CannotMeasure:
    return CannotMeasure(f"the OpenAPI document {what}", code=Code.OPENAPI_DOCUMENT)


def _read(body: bytes) -> dict[str, Any]:
    """Read a document.

    Raises:
        CannotMeasure: it is neither JSON nor YAML, is beyond bounds, or refers to
            other documents.
    """
    try:
        text = body.decode("utf-8-sig")
        is_json = text.lstrip().startswith("{")
        data = json.loads(text) if is_json else load(text, "the document", _YAML).data
    except UnicodeDecodeError:
        raise _unusable("is not UTF-8") from None
    except PlanError as error:
        raise _unusable(f"cannot be read: {error.problems[0]}") from None
    except (ValueError, RecursionError) as error:
        raise _unusable(f"is not JSON: {error}") from None
    others = (each for each in _references(data) if not each.startswith("#/"))
    other = next(others, None)
    if other is not None:
        # A reference could make the gate request any address, or read any file.
        raise _unusable(
            f"refers to another document, {masked(other)[:200]!r}; bundle it"
        )
    return dict(data)


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


#: Headers of the connection, of the framing and of authentication: with them a document
#: could send the plan's credentials elsewhere, or smuggle a second request.
_NOT_THE_DOCUMENTS = frozenset(
    {
        *("host", "authorization", "proxy-authorization", "cookie", "forwarded"),
        *("connection", "proxy-connection", "keep-alive", "te", "trailer", "upgrade"),
        *("transfer-encoding", "content-length", "expect", "http2-settings"),
    }
)


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
        """Whether a call changes nothing."""
        return self.method in SAFE

    def __str__(self) -> str:
        """The method and the path."""
        return f"{self.method.upper()} {self.pattern}"


class OpenApiDocument:
    """A document that was read, with its operations.

    Args:
        body: the document, as JSON or YAML.
        place: the path that it was read from, to which its servers may be relative.
        base: the prefix of each path; if None, the path of its first server.
        parameters: values for parameters by name; they take precedence over the
            document's own.

    Raises:
        CannotMeasure: it is not an OpenAPI document, or refers to other documents.
    """

    def __init__(
        self,
        body: bytes,
        place: str = "/",
        base: str | None = None,
        parameters: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self._data = _read(body)
        self._given = parameters
        path = _base(self._data, place) if base is None else base
        self._base = path.rstrip("/")
        self._data["servers"] = [{"url": _HOST + self._base}]
        self._openapi = self._checker()

    def operations(self) -> Iterator[Operation]:
        """Every operation, in the document's order."""
        try:
            for pattern, written in self._data.get("paths", {}).items():
                item = self._resolved(written)
                for method in (*SAFE, *_UNSAFE):
                    if method in item:
                        yield self._operation(method, pattern, item)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # What the check of the document let pass, such as a parameter without name.
            raise _unusable(f"is not valid: {type(error).__name__}: {error}") from None

    def faults(self, operation: Operation, reply: Reply) -> Iterator[str]:
        """The differences between a response and the document."""
        if reply.status >= 500:
            yield f"got {reply.status}, a server error"
            return
        if operation.method == "head":
            item = self._resolved(self._data["paths"][operation.pattern])
            statuses = {str(each).upper() for each in item["head"].get("responses", {})}
            if statuses.isdisjoint(
                {str(reply.status), f"{reply.status // 100}XX", "DEFAULT"}
            ):
                yield f"got {reply.status}, which the document does not contain"
            return
        # As openapi-core reads them.
        request = SimpleNamespace(
            method=operation.method,
            path=urlsplit(operation.path).path,
            host_url=_HOST,
            content_type="",
            body=None,
            parameters=None,
        )
        response = SimpleNamespace(
            data=reply.body,
            status_code=reply.status,
            headers=reply.headers,
            content_type=reply.header("Content-Type") or "",
        )
        try:
            for error in self._openapi.iter_apicall_response_errors(request, response):
                yield _message(error)
        # The libraries fail where the check of the document passes: `schema: true`.
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _unusable(f"is not valid: {type(error).__name__}: {error}") from None

    def _checker(self) -> Any:
        from openapi_core import OpenAPI  # noqa: PLC0415 - in the second layer

        try:
            checker = OpenAPI.from_dict(self._data)
            checker.check_spec()
        # The document comes from the service: every error is one of the document.
        except Exception as error:  # noqa: BLE001 - as above
            what = masked(str(error)).partition("\n")[0][:300] or type(error).__name__
            raise _unusable(f"is not valid: {what}") from None
        return checker

    def _operation(
        self, method: str, pattern: str, item: Mapping[str, Any]
    ) -> Operation:
        written, why_not = item[method], ""
        if method not in SAFE:
            why_not = "it is not safe"
        elif "servers" in item or "servers" in written:
            why_not = "it has servers of its own"
        elif written.get("requestBody"):
            why_not = "it needs a body"
        elif not written.get("responses"):
            why_not = "the document contains no response of it"
        operation = Operation(method=method, pattern=pattern, why_not=why_not)
        if why_not:
            return operation
        return self._filled(operation, self._parameters(item, written))

    def _filled(
        self, operation: Operation, parameters: Iterable[Mapping[str, Any]]
    ) -> Operation:
        """An operation with a value for each parameter that is required or given.

        Values are written in OpenAPI's default styles: ``simple`` in paths and
        headers, ``form`` in queries and cookies
        (spec.openapis.org/oas/latest.html#style-values).
        """
        path, query, headers, cookies = operation.pattern, {}, {}, []
        for each in parameters:
            name, place = each["name"], each["in"]
            is_required = each.get("required") or place == "path"
            if not is_required and name not in self._given:
                continue
            value = self._given[name] if name in self._given else self._example(each)
            if value is None or isinstance(value, dict):
                why = (
                    "has no example and no default" if value is None else "is an object"
                )
                return replace(operation, why_not=f"its parameter {name} {why}")
            if place == "header" and name.lower() in _NOT_THE_DOCUMENTS:
                why = "is a header that the service's document may not set"
                return replace(operation, why_not=f"its parameter {name} {why}")
            if place == "path":
                path = path.replace(f"{{{name}}}", quote(_text(value), safe=","))
            elif place == "query":
                is_list = isinstance(value, list)
                query[name] = [_text(v) for v in value] if is_list else _text(value)
            elif place == "header":
                headers[name] = _text(value)
            else:
                cookies.append(f"{name}={_text(value)}")
        if cookies:
            headers["Cookie"] = "; ".join(cookies)
        target = f"{path}?{urlencode(query, doseq=True)}" if query else path
        return replace(operation, path=self._base + target, headers=headers)

    def _example(self, parameter: Mapping[str, Any]) -> Any:
        """The value that the document itself gives, or None."""
        examples = parameter.get("examples") or {}
        several = examples.values() if isinstance(examples, dict) else ()
        first: Any = next(iter(several), {})
        schema = parameter["schema"]
        given = (
            parameter.get("example"),
            self._resolved(first).get("value"),
            schema.get("example"),
            next(iter(schema.get("examples") or ()), None),
            schema.get("default"),
            schema.get("const"),
            next(iter(schema.get("enum") or ()), None),
        )
        return next((each for each in given if each is not None), None)

    def _parameters(
        self, item: Mapping[str, Any], operation: Mapping[str, Any]
    ) -> Iterator[Mapping[str, Any]]:
        """Those of the operation and of its path; the operation's take precedence."""
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
                raise _unusable(
                    f"refers to {masked(str(value['$ref']))[:200]!r}, which it does "
                    "not contain"
                ) from None
            value = where
        raise _unusable("has references in a cycle")


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
        raise _unusable(
            f"has the server {masked(url)[:200]!r}, not a URL: {error}"
        ) from None


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_text(each) for each in value)
    return value if isinstance(value, str) else json.dumps(value)


def _message(error: BaseException) -> str:
    """The message of an error of openapi-core, with the details of its causes."""
    inner = error.__cause__
    found = getattr(inner, "schema_errors", None) or getattr(
        error, "schema_errors", None
    )
    messages = [
        masked(f"{getattr(each, 'json_path', '$')}: {each.message}")[:300]
        for each in list(found or ())[:5]
    ]
    return "; ".join(messages) or masked(str(inner or error))[:300]
