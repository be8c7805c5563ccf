"""``use: scenario``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from hookgate import (
    Auth,
    DeploymentContext,
    Finding,
    Tls,
    Tools,
    Validator,
)
from hookgate.http import ListenerName
from hookgate_validators.scenario.run import Jar, ScriptRun, Session
from hookgate_validators.scenario.steps import ScenarioItem, Script

#: The maximum time to request a token, once a run, in seconds.
_TOKEN = 10.0


class Scenario(Validator):
    """Does a sequence of requests, such as a purchase, get the expected responses?

    Steps run in order until one fails; the steps of ``cleanup`` always run.
    Later steps use the values that a step captures as ``{{name}}``. Every request uses
    a new connection to the load balancer. If the plan has an identity, each response
    must be from the new version. Cookies follow RFC 6265; forms follow the URL
    standard and RFC 7578.

    Example:
        - use: scenario
          name: a customer buys tea
          with:
            variables: {product: sencha}
            steps:
              - name: put it into the basket
                path: /basket
                json: {product: "{{product}}", count: 2}
                status: 201
                capture: {line: {jsonpath: $.line}}
              - name: look at the basket
                path: /basket
                expect:
                  - {jsonpath: "$.lines[*].line", filter: [last], equals: "{{line}}"}
            cleanup:
              - {method: DELETE, path: "/basket/{{line}}", status: 204}
    """

    asks_listener: ClassVar[bool] = True

    variables: Mapping[str, Any] = Field(
        {}, max_length=100, description="Values that steps use as {{name}}."
    )
    steps: tuple[ScenarioItem, ...] = Field(
        min_length=1, max_length=100, description="The steps, in order."
    )
    cleanup: tuple[ScenarioItem, ...] = Field(
        (),
        max_length=100,
        description="Steps that always run at the end, also after a failure.",
    )
    headers: Mapping[str, str] = Field(
        {}, description="Headers of all requests; a step's own headers take precedence."
    )
    auth: Auth | None = Field(
        None, description="Authentication of all requests; a token is requested once."
    )
    tls: Tls
    secure_cookies: Literal["over TLS", "always"] = Field(
        "over TLS",
        description="When to send cookies marked Secure: over TLS and to this "
        "machine, as browsers do; or always, for a test listener "
        "without TLS.",
    )
    listener: ListenerName = "test"

    @model_validator(mode="after")
    def _is_sound(self) -> Scenario:
        self._script.check()
        return self

    @property
    def _script(self) -> Script:
        return Script(
            steps=self.steps, cleanup=self.cleanup, variables=dict(self.variables)
        )

    def worst_case(self) -> float:
        """The maximum time of all steps, the cleanup, and the request for a token."""
        asks_first = self.auth is not None and self.auth.oauth2 is not None
        return self._script.worst_case + (_TOKEN if asks_first else 0.0)

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Run the steps and the cleanup."""
        session = Session(
            client=tools.http if self.listener == "test" else tools.production,
            headers=self.headers,
            auth=self.auth,
            trust=self.tls,
            jar=Jar(always=self.secure_cookies == "always"),
        )
        run = ScriptRun(script=self._script, session=session, deadline=tools.deadline)
        yield from run.findings()
