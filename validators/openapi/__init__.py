"""``use: openapi``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field

from hookgate import (
    Auth,
    DeploymentContext,
    Duration,
    Finding,
    Inconclusive,
    NoAnswer,
    NoData,
    Request,
    Size,
    Tls,
    Tools,
    Validator,
)
from hookgate.codes import Code
from hookgate.http import ListenerName
from hookgate.http.request import HttpClient
from hookgate.units import UrlPath
from hookgate_validators.openapi.document import OpenApiDocument, Operation

_SHOWN = 20


class Openapi(Validator):
    """Does the service respond as its OpenAPI document specifies?

    It calls every safe operation (RFC 9110, 9.2.1: GET, HEAD, OPTIONS). Required
    parameters take their values from ``parameters``, or from an example, default or
    enum of the document. A safe operation that cannot be called makes the step
    inconclusive, which ``on_inconclusive: pass`` waives. openapi-core checks status,
    content type, headers and body; a 5xx always fails. The document is JSON or YAML,
    without references to other documents.
    spec.openapis.org/oas/latest.html

    Example:
        - use: openapi
          name: responds as documented
          with:
            document: /openapi.json
            headers: {Accept: application/json}
            parameters: {id: 7}
            max_operations: 30
    """

    asks_listener: ClassVar[bool] = True
    second_layer: ClassVar[tuple[str, ...]] = ("openapi_core",)

    document: UrlPath = Field(
        "/openapi.json",
        description="The path of the service's OpenAPI document.",
    )
    headers: Mapping[str, str] = Field(
        {}, description="Headers to send with each request."
    )
    parameters: Mapping[str, Any] = Field(
        {},
        max_length=100,
        description="Values of parameters, by name. They take precedence over "
        "the document's values.",
    )
    base_path: UrlPath | None = Field(
        None,
        description="The prefix of each path; by default, the path of the "
        "document's first server. Requests never go to that "
        "server's host.",
    )
    auth: Auth | None = Field(
        None, description="Authentication, for the document and its operations."
    )
    tls: Tls
    max_operations: int = Field(
        50, ge=1, le=200, description="Maximum number of operations to call."
    )
    max_body: Size = Field(
        1024 * 1024,
        gt=0,
        le=8 * 1024 * 1024,
        description="Maximum size of the document and of each response.",
    )
    listener: ListenerName = "test"
    timeout: Duration = Field(5.0, gt=0, description="Maximum time of one request.")

    def worst_case(self) -> float:
        """The maximum time of a token, the document and all operations."""
        return self.timeout * (self.max_operations + 2)

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Get the document, call its operations, and validate the responses."""
        client = tools.http if self.listener == "test" else tools.production
        own = self._authorization(client)
        reply = client(self._request("GET", self.document, own))
        if reply.status != 200:
            summary = f"GET {self.document}: expected 200, got {reply.status}"
            yield Finding(ok=False, summary=summary, code=Code.OPENAPI_DOCUMENT)
            return
        document = OpenApiDocument(
            reply.body, self.document, self.base_path, self.parameters
        )
        operations = list(document.operations())
        ready = [each for each in operations if not each.why_not]
        called = ready[: self.max_operations]
        if not called:
            raise NoData(f"no operation can be called: {_listed(operations)}")
        for each in called:
            yield self._call(client, document, each, own)
        unsafe = _listed([each for each in operations if not each.is_safe])
        yield Finding(
            ok=True,
            summary=f"{len(called)} of {len(operations)} operations were called; "
            f"not called: {unsafe}",
            waiver=self.tls.waiver if reply.certificate else "",
            code=Code.OPENAPI_COVERAGE,
        )
        beyond = len(ready) - len(called)
        why = f"{beyond} operations are beyond max_operations, {self.max_operations}"
        if left := [each for each in operations if each.is_safe and each.why_not]:
            why = f"safe operations that could not be called: {_listed(left)}; give "
            why += "values in parameters"
        if left or beyond:
            raise Inconclusive(why, code=Code.OPENAPI_COVERAGE)

    def _authorization(self, client: HttpClient) -> Mapping[str, str]:
        if self.auth is None:
            return {}
        plain = Request(timeout=self.timeout, trust=self.tls)
        return self.auth.authorized(plain, client).headers

    def _request(self, method: str, path: str, headers: Mapping[str, str]) -> Request:
        return Request(
            method=method,
            path=path,
            headers={**self.headers, **headers},
            timeout=self.timeout,
            max_body=self.max_body,
            trust=self.tls,
        )

    def _call(
        self,
        client: HttpClient,
        document: OpenApiDocument,
        operation: Operation,
        own: Mapping[str, str],
    ) -> Finding:
        method, headers = operation.method.upper(), {**own, **operation.headers}
        try:
            reply = client(self._request(method, operation.path, headers))
        except NoAnswer as error:
            return Finding(ok=False, summary=f"{operation}: {error}", code=error.code)
        faults = list(document.faults(operation, reply))
        result = "; ".join(faults) or f"got {reply.status}, as documented"
        return Finding(
            ok=not faults,
            summary=f"{operation}: {result}",
            evidence={"path": operation.path, "status": reply.status},
            code=Code.OPENAPI_CONFORMITY,
        )


def _listed(operations: list[Operation]) -> str:
    skipped = [f"{each} ({each.why_not})" for each in operations[:_SHOWN]]
    more = f" and {len(operations) - _SHOWN} more" if len(operations) > _SHOWN else ""
    return (", ".join(skipped) or "none") + more
