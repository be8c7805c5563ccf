"""A target group: its targets, their health checks, and the choice among them."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, replace
from enum import StrEnum

from hookgate_rehearsal.data_plane.settings import (
    HealthCheck,
    Target,
    TargetGroupSettings,
)
from hookgate_rehearsal.data_plane.upstream import ConnectionPool, unverified_tls

#: Seconds between health checks of a target that has not passed one yet: fewer than its
#: interval, to save time. The additional checks count only if they pass.
EAGER_INTERVAL = 0.2


class TargetState(StrEnum):
    """ELB's states of a target."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNUSED = "unused"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealth:
    """A target's state, with ELB's reason and description unless it is healthy."""

    target: Target
    state: TargetState
    reason: str | None = None
    description: str | None = None


class HealthRecord:
    """A target's health, and its consecutive passed and failed health checks.

    As with ELB, a new target is healthy after its first passed check, and unhealthy
    after as many failed ones as the threshold.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self.register()

    def register(self) -> None:
        """Set the state of a new target."""
        self.reset(
            TargetState.INITIAL,
            "Elb.RegistrationInProgress",
            "Target registration is in progress",
        )

    def reset(self, state: TargetState, reason: str, description: str) -> None:
        """Change the state, and reset the counts."""
        self._passed = self._failed = 0
        self.health = TargetHealth(
            target=self._target, state=state, reason=reason, description=description
        )

    def await_first_check(self) -> None:
        """Set the reason during the first health checks."""
        self.health = replace(
            self.health,
            reason="Elb.InitialHealthChecking",
            description="Initial health checks in progress",
        )

    def add(self, result: TargetHealth, check: HealthCheck) -> None:
        """Count the result of a health check."""
        is_initial = self.health.state is TargetState.INITIAL
        is_unhealthy = self.health.state is TargetState.UNHEALTHY
        if result.state is TargetState.HEALTHY:
            self._passed, self._failed = self._passed + 1, 0
            if is_initial or self._passed >= check.healthy_threshold:
                self.health = result
            return
        self._passed, self._failed = 0, self._failed + 1
        if is_unhealthy or self._failed >= check.unhealthy_threshold:
            self.health = result
        elif is_initial:
            self.await_first_check()


async def check_target(target: Target, check: HealthCheck) -> TargetHealth:
    """Run one health check, over a connection of its own."""

    def unhealthy(reason: str, description: str) -> TargetHealth:
        return TargetHealth(
            target=target,
            state=TargetState.UNHEALTHY,
            reason=reason,
            description=description,
        )

    try:
        async with asyncio.timeout(check.timeout):
            status = await _status(target, check)
    except TimeoutError:
        return unhealthy("Target.Timeout", "Request timed out")
    except (OSError, ValueError, EOFError, asyncio.LimitOverrunError):
        return unhealthy("Target.FailedHealthChecks", "Health checks failed")
    if status is None or matches(status, check.matcher):
        return TargetHealth(target=target, state=TargetState.HEALTHY)
    return unhealthy(
        "Target.ResponseCodeMismatch",
        f"Health checks failed with these codes: [{status}]",
    )


async def _status(target: Target, check: HealthCheck) -> int | None:
    """The status of the response; ``None`` if a connection is enough."""
    reader, writer = await asyncio.open_connection(
        target.id,
        check.port or target.port,
        ssl=unverified_tls() if check.protocol.is_encrypted else None,
        limit=4096,
    )
    try:
        if not check.protocol.is_http:
            return None
        writer.write(
            f"GET {check.path} HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n"
            "User-Agent: ELB-HealthChecker/2.0\r\nAccept-Encoding: gzip, compressed"
            "\r\n\r\n".encode("latin-1")
        )
        version, _, rest = (await reader.readuntil(b"\r\n")).partition(b" ")
    finally:
        writer.transport.abort()
    if not version.startswith(b"HTTP/1."):
        raise ValueError("not an HTTP response")
    return int(rest[:3])


def matches(status: int, matcher: str) -> bool:
    """Whether a matcher such as ``200``, ``200,202`` or ``200-299`` contains it."""
    ranges = (part.partition("-") for part in matcher.split(","))
    return any(int(low) <= status <= int(high or low) for low, _, high in ranges)


class Registration:
    """One target in a target group, with its connections and health checks."""

    def __init__(self, target: Target, tls: ssl.SSLContext | None) -> None:
        self.target = target
        self.tls = tls
        self.record = HealthRecord(target)
        self.pool = ConnectionPool(target, self.tls)
        self.in_flight = 0
        self.checks: asyncio.Task[None] | None = None
        self.drain: asyncio.TimerHandle | None = None
        self.tunnels: set[asyncio.Transport] = set()
        """Both ends of connections through a TCP or TLS listener."""

    @property
    def is_quiet(self) -> bool:
        """Whether no connection to the target is left."""
        return not self.pool.open and not self.tunnels

    def stop_checks(self) -> None:
        """Stop the health checks."""
        if self.checks:
            self.checks.cancel()
            self.checks = None

    def stop_draining(self) -> None:
        """Cancel the removal of the target."""
        if self.drain:
            self.drain.cancel()
            self.drain = None

    def abort(self) -> None:
        """Stop the health checks, and abort every connection to the target."""
        self.stop_checks()
        self.stop_draining()
        self.pool.abort()
        for transport in tuple(self.tunnels):
            transport.abort()


class TargetGroup:
    """A target group that listeners forward to.

    All its methods are called on the data plane's loop.
    """

    def __init__(self, settings: TargetGroupSettings) -> None:
        self.settings = settings
        self._registrations: dict[Target, Registration] = {}
        self._candidates: tuple[Registration, ...] = ()
        self._turn = -1
        self._in_use = False

    def choose(self) -> Registration | None:
        """The next healthy target (round robin); ``None`` if none is registered.

        If none is healthy, ALB fails open to every registered one.
        """
        if not self._candidates:
            return None
        self._turn = (self._turn + 1) % len(self._candidates)
        return self._candidates[self._turn]

    def health(self) -> tuple[TargetHealth, ...]:
        """What DescribeTargetHealth returns, draining targets included."""
        return tuple(each.record.health for each in self._registrations.values())

    def in_flight(self, target: Target) -> int:
        """The number of requests or connections that a target is handling."""
        registration = self._registrations.get(target)
        return registration.in_flight if registration else 0

    def register(self, target: Target) -> None:
        """Add a target, also one that is draining; keep one that is registered."""
        registration = self._registrations.get(target)
        if registration is None:
            tls = unverified_tls() if self.settings.protocol.is_encrypted else None
            registration = self._registrations[target] = Registration(target, tls)
        elif registration.drain:
            registration.stop_draining()
            registration.pool.keep_idle(enabled=True)
        else:
            return
        self._start_checks(registration)
        self._update_candidates()

    def deregister(self, target: Target) -> None:
        """Send the target no new requests, and remove it after the delay."""
        registration = self._registrations.get(target)
        if registration is None or registration.drain:
            return
        registration.stop_checks()
        registration.record.reset(
            TargetState.DRAINING,
            "Target.DeregistrationInProgress",
            "Target deregistration is in progress",
        )
        registration.pool.keep_idle(enabled=False)
        registration.drain = asyncio.get_running_loop().call_later(
            self.settings.deregistration_delay, self._remove, registration
        )
        self._update_candidates()

    def use(self, *, in_use: bool) -> None:
        """Run health checks only while a listener references the group."""
        if in_use == self._in_use:
            return
        self._in_use = in_use
        for registration in self._registrations.values():
            if not registration.drain:
                self._start_checks(registration)
        self._update_candidates()

    def abort(self) -> None:
        """Stop using the targets, and abort every connection to them."""
        for registration in self._registrations.values():
            registration.abort()
        self._candidates = ()

    @property
    def is_quiet(self) -> bool:
        """Whether no connection to any target is left."""
        return all(r.is_quiet for r in self._registrations.values())

    def _remove(self, registration: Registration) -> None:
        registration.abort()
        del self._registrations[registration.target]

    def _update_candidates(self) -> None:
        present = [r for r in self._registrations.values() if not r.drain]
        healthy = [r for r in present if r.record.health.state is TargetState.HEALTHY]
        self._candidates = tuple(healthy or present)

    def _start_checks(self, registration: Registration) -> None:
        registration.stop_checks()
        if not self._in_use:
            registration.record.reset(
                TargetState.UNUSED,
                "Target.NotInUse",
                "Target group is not configured to receive traffic from the load "
                "balancer",
            )
            return
        registration.record.register()
        registration.checks = asyncio.create_task(self._check(registration))

    async def _check(self, registration: Registration) -> None:
        loop = asyncio.get_running_loop()
        record = registration.record
        due = loop.time() + self.settings.health_check.interval
        while True:
            check = self.settings.health_check
            result = await check_target(registration.target, check)
            now = loop.time()
            is_initial = record.health.state is TargetState.INITIAL
            if is_initial and result.state is TargetState.UNHEALTHY and now < due:
                record.await_first_check()
                await asyncio.sleep(min(EAGER_INTERVAL, due - now))
                continue
            record.add(result, check)
            self._update_candidates()
            await asyncio.sleep(max(0.0, due - now))
            due += check.interval
