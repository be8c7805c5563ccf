"""A target group: its targets, their health checks, and the choice among them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
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

MATCHED = "Target.ResponseCodeMismatch"
TIMEOUT = "Target.Timeout"
FAILED = "Target.FailedHealthChecks"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The result of one health check, with ELB's reason."""

    ok: bool
    reason: str | None = None
    description: str | None = None


@dataclass(slots=True)
class HealthRecord:
    """A target's state, and its consecutive passed and failed health checks.

    As with ELB, a new target is healthy after its first passed check, and unhealthy
    after as many failed ones as the threshold.
    """

    target: Target
    state: TargetState = TargetState.INITIAL
    reason: str | None = "Elb.RegistrationInProgress"
    description: str | None = "Target registration is in progress"
    passed: int = 0
    failed: int = 0

    def add(self, result: CheckResult, check: HealthCheck) -> None:
        """Count the result of a health check."""
        self.passed, self.failed = (
            (self.passed + 1, 0) if result.ok else (0, self.failed + 1)
        )
        if result.ok:
            needed = check.healthy_threshold
            if self.state is TargetState.INITIAL or self.passed >= needed:
                self.set_state(TargetState.HEALTHY)
        elif self.failed >= check.unhealthy_threshold or (
            self.state is TargetState.UNHEALTHY
        ):
            self.set_state(TargetState.UNHEALTHY, result.reason, result.description)
        elif self.state is TargetState.INITIAL:
            self.await_first_check()

    def await_first_check(self) -> None:
        """Set the state during the first health checks."""
        self.set_state(
            TargetState.INITIAL,
            "Elb.InitialHealthChecking",
            "Initial health checks in progress",
        )

    def set_state(
        self,
        state: TargetState,
        reason: str | None = None,
        description: str | None = None,
    ) -> None:
        """Change the state, and keep the counts."""
        self.state, self.reason, self.description = state, reason, description

    def reset(self, state: TargetState, reason: str, description: str) -> None:
        """Change the state, and reset the counts."""
        self.passed = self.failed = 0
        self.set_state(state, reason, description)

    def snapshot(self) -> TargetHealth:
        """What DescribeTargetHealth returns for the target now."""
        return TargetHealth(
            target=self.target,
            state=self.state,
            reason=self.reason,
            description=self.description,
        )


async def check_target(target: Target, check: HealthCheck) -> CheckResult:
    """Run one health check, over a connection of its own."""
    try:
        async with asyncio.timeout(check.timeout):
            return await _request(target, check)
    except TimeoutError:
        return CheckResult(ok=False, reason=TIMEOUT, description="Request timed out")
    except (OSError, ValueError, EOFError, asyncio.LimitOverrunError):
        return CheckResult(ok=False, reason=FAILED, description="Health checks failed")


async def _request(target: Target, check: HealthCheck) -> CheckResult:
    reader, writer = await asyncio.open_connection(
        target.id,
        check.port or target.port,
        ssl=unverified_tls() if check.protocol.is_encrypted else None,
        limit=4096,
    )
    try:
        if not check.protocol.is_http:
            return CheckResult(ok=True)
        writer.write(
            f"GET {check.path} HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n"
            "User-Agent: ELB-HealthChecker/2.0\r\nAccept-Encoding: gzip, compressed"
            "\r\n\r\n".encode("latin-1")
        )
        return _evaluate(await reader.readuntil(b"\r\n"), check)
    finally:
        writer.transport.abort()


def _evaluate(status_line: bytes, check: HealthCheck) -> CheckResult:
    version, _, rest = status_line.partition(b" ")
    if not version.startswith(b"HTTP/1."):
        raise ValueError(f"not an HTTP response: {status_line[:40]!r}")
    status = int(rest[:3])
    if matches(status, check.matcher):
        return CheckResult(ok=True)
    return CheckResult(
        ok=False,
        reason=MATCHED,
        description=f"Health checks failed with these codes: [{status}]",
    )


def matches(status: int, matcher: str) -> bool:
    """Whether a matcher such as ``200``, ``200,202`` or ``200-299`` contains it."""
    for part in matcher.split(","):
        low, _, high = part.strip().partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False


class Registration:
    """One target in a target group, with its connections and health checks."""

    def __init__(self, target: Target, group: TargetGroup) -> None:
        self.target = target
        self.group = group
        self.health = HealthRecord(target)
        self.tls = unverified_tls() if group.settings.protocol.is_encrypted else None
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

    def abort(self) -> None:
        """Stop the health checks, and abort every connection to the target."""
        self.stop_checks()
        if self.drain:
            self.drain.cancel()
            self.drain = None
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
        return tuple(r.health.snapshot() for r in self._registrations.values())

    def in_flight(self, target: Target) -> int:
        """The number of requests or connections that a target is handling."""
        registration = self._registrations.get(target)
        return registration.in_flight if registration else 0

    def register(self, target: Target) -> None:
        """Add a target, also one that is draining; keep one that is registered."""
        present = self._registrations.get(target)
        if present and not present.drain:
            return
        registration = present or Registration(target, self)
        if registration.drain:
            registration.drain.cancel()
            registration.drain = None
            registration.pool.keep_idle(enabled=True)
        self._registrations[target] = registration
        self._start_checks(registration)
        self._update_candidates()

    def deregister(self, target: Target) -> None:
        """Send the target no new requests, and remove it after the delay."""
        registration = self._registrations.get(target)
        if registration is None or registration.drain:
            return
        registration.stop_checks()
        registration.health.reset(
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
        if self._registrations.get(registration.target) is registration:
            del self._registrations[registration.target]

    def _update_candidates(self) -> None:
        present = [r for r in self._registrations.values() if not r.drain]
        healthy = [r for r in present if r.health.state is TargetState.HEALTHY]
        self._candidates = tuple(healthy or present)

    def _start_checks(self, registration: Registration) -> None:
        registration.stop_checks()
        if not self._in_use:
            registration.health.reset(
                TargetState.UNUSED,
                "Target.NotInUse",
                "Target group is not configured to receive traffic from the load "
                "balancer",
            )
            return
        registration.health.reset(
            TargetState.INITIAL,
            "Elb.RegistrationInProgress",
            "Target registration is in progress",
        )
        registration.checks = asyncio.create_task(self._check(registration))

    async def _check(self, registration: Registration) -> None:
        loop = asyncio.get_running_loop()
        health = registration.health
        due = loop.time() + self.settings.health_check.interval
        while True:
            check = self.settings.health_check
            result = await check_target(registration.target, check)
            now = loop.time()
            eager = health.state is TargetState.INITIAL and not result.ok and now < due
            if eager:
                health.await_first_check()
                await asyncio.sleep(min(EAGER_INTERVAL, due - now))
                continue
            health.add(result, check)
            self._update_candidates()
            await asyncio.sleep(max(0.0, due - now))
            due += check.interval
