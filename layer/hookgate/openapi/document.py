"""A service's own OpenAPI document: what can be asked, and who checks answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urljoin, urlsplit

from hookgate.codes import Code
from hookgate.errors import CannotMeasure
from hookgate.openapi.parameters import filled
from hookgate.openapi.reading import read
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
        said = _base(self._data, place) if base is None else base
        self._base = said.rstrip("/")
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
                f"no OpenAPI document that can be used: {what}",
                code=Code.OPENAPI_DOCUMENT,
            ) from None
        return checker

    def _operation(
        self, method: str, pattern: str, item: Mapping[str, Any]
    ) -> Operation:
        said = item[method]
        why = self._why_not(method, item, said)
        if why:
            return Operation(method=method, pattern=pattern, why_not=why)
        found = filled(
            pattern, self._parameters(item, said), self._resolved, self._given
        )
        return Operation(
            method=method,
            pattern=pattern,
            path=self._base + found.target,
            headers=found.said,
            why_not=found.why_not,
        )

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
