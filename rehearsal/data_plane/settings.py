"""What a load balancer is told: target groups, their targets, and listeners."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rehearsal.data_plane.rules import Action, Forward, Rule


class Protocol(StrEnum):
    """How a listener or a target group speaks, by ELB's names."""

    HTTP = "HTTP"
    HTTPS = "HTTPS"
    TCP = "TCP"
    TLS = "TLS"

    @property
    def is_http(self) -> bool:
        """Whether requests are told apart (ALB) or only connections are (NLB)."""
        return self in {Protocol.HTTP, Protocol.HTTPS}

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return self in {Protocol.HTTPS, Protocol.TLS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One task that may answer. ``id`` is its host, such as ``127.0.0.1``."""

    id: str
    port: int

    def __str__(self) -> str:
        """Say it as ``127.0.0.1:8080``."""
        return f"{self.id}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """How targets are asked whether they are well. Times are in seconds.

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
        """Refuse what could never be measured."""
        if self.interval <= 0 or self.timeout <= 0:
            raise ValueError("a health check's interval and timeout are above 0 s")
        if self.healthy_threshold < 1 or self.unhealthy_threshold < 1:
            raise ValueError("a health check's thresholds are at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroupSettings:
    """A target group. ``deregistration_delay`` is in seconds."""

    arn: str
    name: str
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

    ``port`` 0 lets the kernel choose. ``idle_timeout`` (seconds) is the load balancer's
    attribute: a client or a target silent for longer is given up.
    ``keeps_forwarded`` leaves ``X-Forwarded-Proto`` and ``-Port`` as they came, which
    only a door before a target does. ``more_certificates`` are for the clients that ask
    for their names (SNI).
    """

    arn: str
    protocol: Protocol
    default_action: Action
    port: int = 0
    rules: tuple[Rule, ...] = ()
    certificate: Certificate | None = None
    more_certificates: tuple[Certificate, ...] = ()
    idle_timeout: float = 60.0
    keeps_forwarded: bool = False

    def __post_init__(self) -> None:
        """Refuse a listener that could not speak."""
        if self.protocol.is_encrypted and self.certificate is None:
            raise ValueError(
                f"listener {self.arn} ({self.protocol}) has no certificate"
            )
        if not self.protocol.is_http and not isinstance(self.default_action, Forward):
            raise ValueError(f"listener {self.arn} ({self.protocol}) can only forward")
