"""``use: http``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from hookgate import (
    DeploymentContext,
    Duration,
    Expectation,
    Finding,
    NoAnswer,
    Reply,
    Request,
    Size,
    Statuses,
    Tools,
    Validator,
    judge,
    status_in,
)


class Http(Validator):
    """Does a request to the new version get the answer it should?

    Every try is a fresh connection to the load balancer; redirects are not followed.
    Status classes are those of RFC 9110, section 15; JSON paths those of RFC 9535.

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

    path: str = Field("/", pattern=r"^/", description="Path and query to ask for.")
    method: str = Field(
        "GET", pattern=r"^[A-Z]+$", description="The method, in capitals."
    )
    headers: Mapping[str, str] = Field({}, description="Headers to send.")
    body: str | None = Field(None, description="Text to send.")
    json_body: Any = Field(
        None, alias="json", description="JSON to send, with its Content-Type."
    )
    status: Statuses = Field(
        ("2xx",), description="Statuses that are right, such as 200, 2xx or a list."
    )
    expect: tuple[Expectation, ...] = Field(
        (), description="What the answer must be: a query and a predicate an entry."
    )
    timeout: Duration = Field(10.0, gt=0, description="The bound of one try.")
    max_body: Size = Field(1024 * 1024, gt=0, description="The largest body taken.")
    listener: Literal["test", "production"] = Field(
        "test",
        description="Which listener to ask; production only at AfterAllowTraffic.",
    )

    @model_validator(mode="after")
    def _one_body(self) -> Http:
        if {"body", "json_body"} <= self.model_fields_set:
            raise ValueError("give body or json, not both")
        return self

    def worst_case(self) -> float:
        """As long as one try may take."""
        return self.timeout

    def check(
        self,
        context: DeploymentContext,  # noqa: ARG002 - every validator is given it
        tools: Tools,
    ) -> Iterator[Finding]:
        """Ask, and hold the answer against what is expected."""
        probe = tools.http if self.listener == "test" else tools.production
        try:
            reply = probe(self._request())
        except NoAnswer as error:
            asked = {"method": self.method, "path": self.path}
            summary = f"{self.method} {self.path}: {error}"
            yield Finding(ok=False, summary=summary, evidence=asked)
        else:
            yield from self._findings(reply)

    def _request(self) -> Request:
        headers, body = dict(self.headers), self.body
        if "json_body" in self.model_fields_set:
            headers.setdefault("Content-Type", "application/json")
            body = json.dumps(self.json_body)
        return Request(
            method=self.method,
            path=self.path,
            headers=headers,
            body=None if body is None else body.encode(),
            timeout=self.timeout,
            max_body=self.max_body,
        )

    def _findings(self, reply: Reply) -> Iterator[Finding]:
        evidence = {
            "method": self.method,
            "path": self.path,
            "status": reply.status,
            "duration_ms": round(reply.duration * 1000, 1),
            "peer": reply.peer,
        }
        wanted = " or ".join(self.status)
        answered = Finding(
            ok=status_in(reply.status, self.status),
            summary=f"{self.method} {self.path} answered {reply.status}, "
            f"expected {wanted}",
        )
        for each in (answered, *judge(self.expect, reply)):
            excerpt = {} if each.ok else {"body": reply.text}
            yield replace(each, evidence={**evidence, **excerpt})
