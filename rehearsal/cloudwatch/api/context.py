"""What every operation works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.cloudwatch.alarms import Alarms
from rehearsal.cloudwatch.store import MetricStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The metrics, the alarms, and where the emulator pretends to be."""

    store: MetricStore
    alarms: Alarms
    clock: Callable[[], float]
    refresh: Callable[[], None]
    region: str
    account: str
    most_alarms: int

    def arn(self, name: str) -> str:
        """The ARN of the alarm of that name."""
        return f"arn:aws:cloudwatch:{self.region}:{self.account}:alarm:{name}"


ContextOperation = Callable[[Context, dict[str, Any]], Mapping[str, Any] | None]
"""What an operation does with a request."""
