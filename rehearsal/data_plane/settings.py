"""Settings of a load balancer: listeners, rules, target groups and targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Forward to target groups by weight: ARN to 0 to 999."""

    weights: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedResponse:
    """Respond without a target."""

    status: int
    content_type: str = "text/plain"
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Redirect the client.

    Each part may contain ELB's ``#{protocol}``, ``#{host}``, ``#{port}``, ``#{path}``
    and ``#{query}``.
    """

    status: int = 302
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"


Action = Forward | FixedResponse | Redirect

ConditionField = Literal[
    "host-header",
    "path-pattern",
    "http-header",
    "http-request-method",
    "query-string",
    "source-ip",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoResponse:
    """Accept the request and never respond: a fault, not an action of ELB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition of a rule, with ELB's names of its field.

    It is met if a pattern in ``values`` matches the field: the Host header without its
    port, the path without its query, the header ``name``, the exact method, or the
    CIDR block of the client's address. Of ``query-string``, a parameter must match one
    of the (key, value) patterns in ``parameters``; a key of ``None`` matches any key.
    """

    field: ConditionField
    values: tuple[str, ...] = ()
    name: str = ""
    parameters: tuple[tuple[str | None, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerRule:
    """A rule; the first by ``priority`` whose conditions are all met applies."""

    priority: int
    conditions: tuple[Condition, ...]
    action: Action


class Protocol(StrEnum):
    """ELB's protocols of a listener or a target group."""

    HTTP = "HTTP"
    HTTPS = "HTTPS"
    TCP = "TCP"
    TLS = "TLS"

    @property
    def is_http(self) -> bool:
        """Whether it forwards requests (ALB) or connections (NLB)."""
        return self in {Protocol.HTTP, Protocol.HTTPS}

    @property
    def is_encrypted(self) -> bool:
        """Whether it uses TLS."""
        return self in {Protocol.HTTPS, Protocol.TLS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One task. ``id`` is its host, such as ``127.0.0.1``."""

    id: str
    port: int

    def __str__(self) -> str:
        """Format it as ``127.0.0.1:8080``."""
        return f"{self.id}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """Settings of the health checks. Times are in seconds.

    ``matcher`` is ELB's: ``200``, ``200,202`` or ``200-299``. ``port`` ``None`` is the
    traffic port.
    """

    protocol: Protocol = Protocol.HTTP
    path: str = "/"
    matcher: str = "200"
    interval: float = 30.0
    timeout: float = 5.0
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    port: int | None = None

    def __post_init__(self) -> None:
        """Reject times and thresholds out of range."""
        if self.interval <= 0 or self.timeout <= 0:
            raise ValueError("a health check's interval and timeout must be above 0 s")
        if self.healthy_threshold < 1 or self.unhealthy_threshold < 1:
            raise ValueError("a health check's thresholds must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroupSettings:
    """A target group. ``deregistration_delay`` is in seconds."""

    arn: str
    protocol: Protocol = Protocol.HTTP
    health_check: HealthCheck = HealthCheck()
    deregistration_delay: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate chain and its private key, in PEM."""

    chain: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSettings:
    """A listener.

    With ``port`` 0 the kernel chooses. ``idle_timeout`` (seconds) is the load
    balancer's attribute: a connection without traffic for longer is closed.
    ``keeps_forwarded`` leaves ``X-Forwarded-Proto`` and ``-Port`` unchanged, which only
    a target's proxy does. The first of the ``certificates`` is the default; the others
    are for clients that send their names (SNI).
    """

    arn: str
    protocol: Protocol
    default_action: Action
    port: int = 0
    rules: tuple[ListenerRule, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    idle_timeout: float = 60.0
    keeps_forwarded: bool = False

    def __post_init__(self) -> None:
        """Reject a listener without a certificate or an action that it needs."""
        if self.protocol.is_encrypted and not self.certificates:
            raise ValueError(
                f"listener {self.arn} ({self.protocol}) has no certificate"
            )
        if not self.protocol.is_http and not isinstance(self.default_action, Forward):
            raise ValueError(f"listener {self.arn} ({self.protocol}) can only forward")
