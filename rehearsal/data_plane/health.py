"""Ask a target whether it is well, and what its answers in a row come to."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from rehearsal.data_plane.observations import TargetHealth, TargetState
from rehearsal.data_plane.settings import HealthCheck, Protocol, Target

#: A target that is not yet up is asked more often than its interval says, so that the
#: rehearsal need not wait; the additional answers count only if they are good.
EAGER_INTERVAL = 0.2

MATCHED = "Target.ResponseCodeMismatch"
TIMEOUT = "Target.Timeout"
FAILED = "Target.FailedHealthChecks"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What one health check came to, in ELB's words."""

    ok: bool
    reason: str | None = None
    description: str | None = None


@dataclass(slots=True)
class HealthRecord:
    """A target's state, and how often in a row it was well or not.

    As ELB has it: a new target is healthy at its first good answer, and unhealthy after
    as many bad ones as the threshold says.
    """

    target: Target
    state: TargetState = TargetState.INITIAL
    reason: str | None = "Elb.RegistrationInProgress"
    description: str | None = "Target registration is in progress"
    good: int = 0
    bad: int = 0

    def add(self, result: CheckResult, check: HealthCheck) -> None:
        """Count the result of a health check."""
        self.good, self.bad = (self.good + 1, 0) if result.ok else (0, self.bad + 1)
        if result.ok:
            needed = check.healthy_threshold
            if self.state is TargetState.INITIAL or self.good >= needed:
                self.become(TargetState.HEALTHY)
        elif self.bad >= check.unhealthy_threshold or (
            self.state is TargetState.UNHEALTHY
        ):
            self.become(TargetState.UNHEALTHY, result.reason, result.description)
        elif self.state is TargetState.INITIAL:
            self.await_first_check()

    def await_first_check(self) -> None:
        """Say that the target is being asked for the first time."""
        self.become(
            TargetState.INITIAL,
            "Elb.InitialHealthChecking",
            "Initial health checks in progress",
        )

    def become(
        self,
        state: TargetState,
        reason: str | None = None,
        description: str | None = None,
    ) -> None:
        """Change the state; a run of answers goes on."""
        self.state, self.reason, self.description = state, reason, description

    def start_over(self, state: TargetState, reason: str, description: str) -> None:
        """Change the state and forget the answers so far."""
        self.good = self.bad = 0
        self.become(state, reason, description)

    def seen(self) -> TargetHealth:
        """What ELB would tell about the target now."""
        return TargetHealth(
            target=self.target,
            state=self.state,
            reason=self.reason,
            description=self.description,
        )


async def check_target(target: Target, check: HealthCheck) -> CheckResult:
    """Make one health check, over a connection of its own."""
    try:
        async with asyncio.timeout(check.timeout):
            return await _ask(target, check)
    except TimeoutError:
        return CheckResult(ok=False, reason=TIMEOUT, description="Request timed out")
    except (OSError, ValueError, EOFError, asyncio.LimitOverrunError):
        return CheckResult(ok=False, reason=FAILED, description="Health checks failed")


async def _ask(target: Target, check: HealthCheck) -> CheckResult:
    reader, writer = await asyncio.open_connection(
        target.id,
        check.port or target.port,
        ssl=trusting_context() if check.protocol.is_encrypted else None,
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
        return _judge(await reader.readuntil(b"\r\n"), check)
    finally:
        writer.transport.abort()


def _judge(status_line: bytes, check: HealthCheck) -> CheckResult:
    version, _, rest = status_line.partition(b" ")
    if not version.startswith(b"HTTP/1."):
        raise ValueError(f"not an HTTP answer: {status_line[:40]!r}")
    status = int(rest[:3])
    if matches(status, check.matcher):
        return CheckResult(ok=True)
    return CheckResult(
        ok=False,
        reason=MATCHED,
        description=f"Health checks failed with these codes: [{status}]",
    )


def matches(status: int, matcher: str) -> bool:
    """Whether ELB's matcher, such as ``200``, ``200,202`` or ``200-299``, names it."""
    for part in matcher.split(","):
        low, _, high = part.strip().partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False


def trusting_context() -> ssl.SSLContext:
    """TLS to a target, whose certificate ELB does not check either."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def speaks(protocol: Protocol) -> ssl.SSLContext | None:
    """What a connection to a target of this protocol needs to be encrypted."""
    return trusting_context() if protocol.is_encrypted else None
