"""What a scenario's file may say of the load balancer."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from rehearsal.scenario.section import Section
from rehearsal.scenario.values import Interval, Matcher, Port, Timeout, UrlPath


class ListenerFile(Section):
    """A listener of the load balancer."""

    port: Port = Field(0, description="The port to listen on; 0 takes a free one.")
    protocol: Literal["HTTP", "HTTPS", "TCP", "TLS"] = Field(
        "HTTP", description="What it speaks."
    )

    @property
    def is_http(self) -> bool:
        """Whether it is an application load balancer's, or else a network's."""
        return self.protocol in {"HTTP", "HTTPS"}

    @property
    def is_encrypted(self) -> bool:
        """Whether it presents a certificate."""
        return self.protocol in {"HTTPS", "TLS"}


class CertificateFile(Section):
    """A certificate, as PEM files beside the scenario; it is imported into ACM."""

    chain: str = Field(description="The certificate, then those of its issuers.")
    key: str = Field(description="Its private key, without a password.")


class HealthCheckFile(Section):
    """How targets are checked; times are AWS's and pass at the scenario's speed."""

    path: UrlPath = Field("/", description="Path that is asked for.")
    interval: Interval = Field(
        "5s", validate_default=True, description="From one check to the next."
    )
    timeout: Timeout = Field("2s", validate_default=True, description="For an answer.")
    healthy_threshold: int = Field(2, ge=2, le=10, description="Good checks in a row.")
    unhealthy_threshold: int = Field(2, ge=2, le=10, description="Bad checks in a row.")
    matcher: Matcher = Field(
        "200", description="Status codes that are good: 200, 200,204 or 200-299."
    )

    @model_validator(mode="after")
    def _answers_before_the_next(self) -> Self:
        if self.timeout >= self.interval:
            raise InvalidValue(
                "the timeout is shorter than the interval",
                code=Code.SCENARIO_HEALTH_CHECK,
            )
        return self


class LoadBalancerFile(Section):
    """The load balancer with its two listeners; no test listener when it is null."""

    production: ListenerFile = Field(
        default_factory=ListenerFile, description="Where customers come in."
    )
    test: ListenerFile | None = Field(
        default_factory=ListenerFile, description="Where the hooks try green out."
    )
    certificate: CertificateFile | None = Field(
        None, description="What HTTPS and TLS listeners present."
    )
    health_check: HealthCheckFile = Field(
        default_factory=HealthCheckFile, description="Of both target groups."
    )

    @property
    def listeners(self) -> tuple[ListenerFile, ...]:
        """The listeners that there are, production first."""
        return (self.production, self.test) if self.test else (self.production,)

    @model_validator(mode="after")
    def _can_be_built(self) -> Self:
        if len({each.is_http for each in self.listeners}) > 1:
            raise InvalidValue(
                "HTTP and HTTPS listeners are an application load balancer's, TCP and "
                "TLS ones a network load balancer's; both listeners are of one kind",
                code=Code.SCENARIO_LISTENERS,
            )
        if any(each.is_encrypted for each in self.listeners) and not self.certificate:
            raise InvalidValue(
                "an HTTPS or TLS listener needs the certificate",
                code=Code.SCENARIO_LISTENERS,
            )
        return self
