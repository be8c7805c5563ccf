"""``use: http``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import Field

from hookgate import (
    Assertion,
    Auth,
    DeploymentContext,
    Duration,
    Finding,
    NoAnswer,
    Reply,
    Size,
    Statuses,
    Tls,
    Tools,
    Validator,
)
from hookgate.codes import Code
from hookgate.http import ListenerName
from hookgate.http.request import Encodings, HttpRequest, status_in

_FAMILIES = {"any": "", "4": "4", "6": "6", "prefer 4": "4?", "prefer 6": "6?"}


class Http(HttpRequest, Validator):
    """Does the new version respond to a request as expected?

    Every attempt uses a new connection to the load balancer. RFC 9110, sections 15 and
    15.4, defines status classes and redirects, and RFC 9535 JSON paths.

    Example:
        - use: http
          name: the new version is up
          with:
            path: /health
            expect:
              - {header: Content-Type, contains: json}
              - {jsonpath: $.status, equals: UP}
              - {duration: {below: 500ms}}
            within: 60s
    """

    asks_listener: ClassVar[bool] = True

    auth: Auth | None = Field(None, description="Authentication.")
    status: Statuses = Field(
        ("2xx",), description="The expected statuses, such as 200, 2xx or a list."
    )
    expect: tuple[Assertion, ...] = Field(
        (), description="Assertions about the response: each a query and a predicate."
    )
    follow: int = Field(
        0,
        ge=0,
        le=10,
        description="Maximum number of redirects to follow, all on the listener.",
    )
    timeout: Duration = Field(
        10.0, gt=0, description="Maximum time of one attempt, with its redirects."
    )
    max_body: Size = Field(
        1024 * 1024,
        gt=0,
        le=64 * 1024 * 1024,
        description="Maximum size of the body, after decompression.",
    )
    compression: Encodings = Field(
        ("gzip", "deflate", "br"),
        description="The encodings to accept, or identity for none.",
    )
    http2: bool = Field(
        default=True, description="Whether to use HTTP/2 if TLS negotiates it."
    )
    ip: Literal["any", "4", "6", "prefer 4", "prefer 6"] = Field(
        "any", description="The version of IP to use."
    )
    tls: Tls
    listener: ListenerName = "test"

    def worst_case(self) -> float:
        """The maximum time of one attempt, and of requesting a token before it."""
        asks_first = self.auth is not None and self.auth.oauth2 is not None
        return self.timeout * (2 if asks_first else 1)

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Send the request, and check the response."""
        client = tools.http if self.listener == "test" else tools.production
        try:
            request = self.request(
                timeout=self.timeout,
                max_body=self.max_body,
                follow=self.follow,
                http2=self.http2,
                encodings=self.compression,
                ip=_FAMILIES[self.ip],
                trust=self.tls,
            )
            if self.auth is not None:
                request = self.auth.authorized(request, client)
            reply = client(request)
        except NoAnswer as error:
            asked = {"method": self.verb, "path": self.path}
            summary = f"{self.verb} {self.path}: {error}"
            yield Finding(ok=False, summary=summary, evidence=asked, code=error.code)
        else:
            yield from self._findings(reply)

    def _findings(self, reply: Reply) -> Iterator[Finding]:
        status = status_finding(self.status, reply)
        evidence = {"method": self.verb, "path": self.path, **status.evidence}
        status = replace(
            status,
            summary=f"{self.verb} {self.path}: {status.summary}",
            waiver=self.tls.waiver if reply.certificate else "",
        )
        findings = (each.finding(reply) for each in assertions(self, self.expect))
        for each in (status, *findings):
            excerpt = {} if each.ok else {"body": reply.text}
            yield replace(each, evidence={**evidence, **excerpt})


def status_finding(expected: Sequence[str], reply: Reply) -> Finding:
    """The finding about the status of a response, with evidence of the response."""
    evidence: dict[str, Any] = {
        "status": reply.status,
        "duration_ms": round(reply.duration * 1000, 1),
        "peer": reply.peer,
    }
    if reply.redirects:
        evidence["redirects"] = [each.location for each in reply.redirects]
    return Finding(
        ok=status_in(reply.status, expected),
        code=Code.HTTP_STATUS,
        summary=f"expected {' or '.join(expected)}, got {reply.status}",
        evidence=evidence,
    )


def assertions(
    request: HttpRequest, expect: Sequence[Assertion]
) -> tuple[Assertion, ...]:
    """The assertions of a request; with GraphQL, also that there are no errors."""
    if request.graphql is None or request.graphql.errors:
        return tuple(expect)
    from hookgate.assertions.assertion import Assertion as Model  # noqa: PLC0415 - few plans use GraphQL

    no_errors = {"jsonpath": "$.errors", "exists": False}
    return (Model.model_validate(no_errors), *expect)
