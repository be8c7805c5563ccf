"""The operations of CloudWatch, one module for each topic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hookgate_rehearsal.cloudwatch.alarms import Alarms
from hookgate_rehearsal.cloudwatch.store import MetricStore


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatchContext:
    """What each operation works with.

    Attributes:
        refresh: Counts the load balancer's responses that are not yet counted.
    """

    store: MetricStore
    alarms: Alarms
    clock: Callable[[], float]
    refresh: Callable[[], None]
    region: str
    account: str
    most_alarms: int


CloudWatchOperation = Callable[
    [CloudWatchContext, dict[str, Any]], Mapping[str, Any] | None
]
