"""What a load balancer tells: the health of its targets and who answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from rehearsal.data_plane.settings import Target


class TargetState(StrEnum):
    """State of a target, by ELB's names."""

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
class AccessRecord:
    """One line of the access log.

    It is told before the client has the last byte of the answer. ``target`` is the one
    that was chosen, ``target_status`` what it answered: ``None`` where it did not, and
    ``error`` says why. A connection through a TCP or TLS listener is one record, told
    when it ends, with method ``TCP`` and status 0.

    ``started`` is monotonic seconds, ``started_at`` seconds since the epoch; both are
    of the moment the request was routed. ``duration`` is in seconds.
    """

    listener_arn: str
    target_group_arn: str | None
    target: Target | None
    method: str
    path: str
    status: int
    target_status: int | None
    started: float
    started_at: float
    duration: float
    user_agent: str
    trace_id: str
    error: str | None = None

    @property
    def is_served(self) -> bool:
        """Whether a target answered, or a connection reached one."""
        if self.method == "TCP":
            return self.target is not None and self.error is None
        return self.target_status is not None


AccessObserver = Callable[[AccessRecord], None]
