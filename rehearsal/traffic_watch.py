"""Who served the customers: what the production listener's access log tells."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from rehearsal.data_plane import AccessRecord
from rehearsal.production_traffic import USER_AGENT


@dataclass(slots=True)
class TrafficWatch:
    """Counts customers' requests by task definition, and keeps each one's time.

    ``task_definitions`` says which task definition runs behind each target group; it
    is set anew for every deployment, while both are known.
    """

    production_arn: str = ""
    task_definitions: Mapping[str, str] = field(default_factory=dict)
    served_by: Counter[str] = field(default_factory=Counter)
    first_served: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, record: AccessRecord) -> None:
        """Take a line of the access log."""
        if record.listener_arn != self.production_arn or not record.is_served:
            return
        if record.method != "TCP" and record.user_agent != USER_AGENT:
            return
        with self._lock:
            group = record.target_group_arn or ""
            who = self.task_definitions.get(group, "unknown")
            self.served_by[who] += 1
            self.first_served.setdefault(who, record.started_at)

    def begin(self, task_definitions: Mapping[str, str]) -> None:
        """Count afresh, for a deployment with these task definitions."""
        with self._lock:
            self.task_definitions = task_definitions
            self.served_by = Counter()
            self.first_served = {}

    def snapshot(self) -> tuple[dict[str, int], dict[str, float]]:
        """Requests by task definition, and when each first served one."""
        with self._lock:
            return dict(self.served_by), dict(self.first_served)
