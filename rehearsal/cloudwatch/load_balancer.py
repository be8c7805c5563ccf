"""The CloudWatch metrics of the load balancer.

Source: "CloudWatch metrics for your Application Load Balancer" and "… for your Network
Load Balancer" in Elastic Load Balancing's user guides. A count that is 0 is not
reported, as there, but for the counts of hosts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from hookgate_rehearsal.cloudwatch.store import MetricId, MetricStore
from hookgate_rehearsal.data_plane.listener import AccessRecord
from hookgate_rehearsal.data_plane.target_group import TargetHealth, TargetState

#: Responses that wait to be counted; a full queue would lose the oldest.
MOST_WAITING = 500_000
_TIME_DIGITS = 3

Attached = tuple[str, str]
"""The ARNs of a listener, and of a target group that it forwards to."""


class LoadBalancerMetrics:
    """Counts the responses of listeners, and targets.

    Args:
        attached: Lists the target groups behind listeners.
        health: Gets the health of a target group's targets.
        initial_is_unhealthy: Whether targets without a result count as unhealthy.
    """

    def __init__(
        self,
        store: MetricStore,
        attached: Callable[[], Iterable[Attached]],
        health: Callable[[str], tuple[TargetHealth, ...]],
        *,
        initial_is_unhealthy: bool,
    ) -> None:
        self._store = store
        self._attached = attached
        self._health = health
        self._unhealthy = {TargetState.UNHEALTHY}
        if initial_is_unhealthy:
            self._unhealthy.add(TargetState.INITIAL)
        self._waiting: deque[AccessRecord] = deque(maxlen=MOST_WAITING)

    def __call__(self, record: AccessRecord) -> None:
        """Queue a record of the access log; ``flush`` counts it."""
        self._waiting.append(record)

    def flush(self) -> None:
        """Count the queued records."""
        for _ in range(len(self._waiting)):
            self._count(self._waiting.popleft())

    def count_hosts(self, now: float) -> None:
        """Count the healthy and the unhealthy targets of all attached groups."""
        for listener, group in set(self._attached()):
            try:
                states = [each.state for each in self._health(group)]
            except KeyError:
                continue  # it was removed in the meantime
            numbers = {
                "HealthyHostCount": sum(s is TargetState.HEALTHY for s in states),
                "UnHealthyHostCount": sum(s in self._unhealthy for s in states),
            }
            for name, number in numbers.items():
                metric = _metric(name, listener, group)
                self._store.put(metric, float(number), now, unit="Count")

    def _count(self, record: AccessRecord) -> None:
        at = record.started_at + record.duration
        listener, group = record.listener_arn, record.target_group_arn
        for name, value, unit in _samples(record):
            self._store.put(_metric(name, listener), value, at, unit=unit)
            if group and not name.startswith("HTTPCode_ELB"):
                self._store.put(_metric(name, listener, group), value, at, unit=unit)


def _samples(record: AccessRecord) -> Iterator[tuple[str, float, str]]:
    """The names, values and units of a record."""
    if record.method == "TCP":
        yield "NewFlowCount", 1.0, "Count"
        return
    if record.target is not None:
        yield "RequestCount", 1.0, "Count"
    if record.target_status is not None:
        yield f"HTTPCode_Target_{record.target_status // 100}XX_Count", 1.0, "Count"
        seconds = float(f"{record.duration:.{_TIME_DIGITS}g}")
        yield "TargetResponseTime", seconds, "Seconds"
        return
    if record.target is not None:
        yield "TargetConnectionErrorCount", 1.0, "Count"
    yield f"HTTPCode_ELB_{record.status // 100}XX_Count", 1.0, "Count"
    if record.status in {500, 502, 503, 504}:
        yield f"HTTPCode_ELB_{record.status}_Count", 1.0, "Count"


@lru_cache(maxsize=1024)
def _metric(name: str, listener: str, target_group: str | None = None) -> MetricId:
    """A metric of a listener's load balancer, or of a target group in it, by ARNs."""
    balancer = listener.partition(":listener/")[2].rpartition("/")[0]  # app/name/id
    dimensions = {"LoadBalancer": balancer}
    if target_group is not None:
        dimensions["TargetGroup"] = target_group.rpartition(":")[2]
    is_network = balancer.startswith("net/")
    namespace = "AWS/NetworkELB" if is_network else "AWS/ApplicationELB"
    return MetricId.of(namespace, name, dimensions)
