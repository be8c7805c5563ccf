"""Who served the customers: what the production listener's access log tells."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from rehearsal.customers.traffic import USER_AGENT
from rehearsal.data_plane import AccessRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Who served: requests by task definition, and when each first served one.

    ``first`` is in seconds since the epoch.
    """

    requests: Mapping[str, int]
    first: Mapping[str, float]


@dataclass(slots=True)
class TrafficWatch:
    """Counts customers' requests by task definition, and keeps each one's time.

    ``task_definitions`` says which task definition runs behind each target group; it
    is set anew for every deployment, while both are known. What was routed before that
    is not counted, since a TCP listener tells of a connection only after its end, which
    may be later.
    """

    production_arn: str = ""
    task_definitions: Mapping[str, str] = field(default_factory=dict)
    _requests: Counter[str] = field(default_factory=Counter)
    _first: dict[str, float] = field(default_factory=dict)
    _since: float = 0.0
    _counted: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, record: AccessRecord) -> None:
        """Take a line of the access log."""
        if record.listener_arn != self.production_arn or not record.is_served:
            return
        if record.method != "TCP" and record.user_agent != USER_AGENT:
            return
        with self._counted:
            if record.started < self._since:
                return
            group = record.target_group_arn or ""
            who = self.task_definitions.get(group, "unknown")
            self._requests[who] += 1
            self._first.setdefault(who, record.started_at)
            self._counted.notify_all()

    def begin(self, task_definitions: Mapping[str, str]) -> None:
        """Count what is routed from now on, with these task definitions."""
        with self._counted:
            self._since = time.monotonic()
            self.task_definitions = task_definitions
            self._requests = Counter()
            self._first = {}

    def served(self, requests: int = 0, seconds: float = 0.0) -> Served:
        """Who served so far.

        Args:
            requests: how many are known to have been served; their lines are waited
                for, since a TCP listener tells of a connection only after its end.
            seconds: how long to wait at most.
        """
        with self._counted:
            self._counted.wait_for(
                lambda: self._requests.total() >= requests, timeout=seconds
            )
            return Served(requests=dict(self._requests), first=dict(self._first))
