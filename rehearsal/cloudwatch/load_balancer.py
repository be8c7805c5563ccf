"""The CloudWatch metrics of the load balancer.

Source: "CloudWatch metrics for your Application Load Balancer" and "… for your Network
Load Balancer" in Elastic Load Balancing's user guides. A count that is 0 is not
reported, as there, but for the counts of hosts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

from hookgate_rehearsal.cloudwatch.store import MetricId, MetricStore
from hookgate_rehearsal.data_plane.listener import AccessRecord
from hookgate_rehearsal.data_plane.target_group import TargetHealth, TargetState

APPLICATION = "AWS/ApplicationELB"
NETWORK = "AWS/NetworkELB"
#: Answers that wait to be counted; a full queue would lose the oldest.
MOST_WAITING = 500_000
_TIME_DIGITS = 3

Sample = tuple[str, float, str]
"""A metric's name, its value and its unit."""


Attached = tuple[str, str]
"""The ARNs of a listener, and of a target group that it forwards to."""


class LoadBalancerMetrics:
    """Counts the responses of listeners, and targets.

    Args:
        store: Where the metrics go.
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
        self._metrics: dict[tuple[str, str | None, str], tuple[MetricId, ...]] = {}

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
                dimensions = _dimensions(listener, group)
                metric = MetricId.of(_namespace(listener), name, dimensions)
                self._store.put(metric, float(number), now, unit="Count")

    def _count(self, record: AccessRecord) -> None:
        at = record.started_at + record.duration
        for name, value, unit in _samples(record):
            for metric in self._named(record, name):
                self._store.put(metric, value, at, unit=unit)

    def _named(self, record: AccessRecord, name: str) -> tuple[MetricId, ...]:
        """The metric of the load balancer, and that of the target group in it."""
        key = (record.listener_arn, record.target_group_arn, name)
        found = self._metrics.get(key)
        if found is None:
            namespace = _namespace(record.listener_arn)
            alone = _dimensions(record.listener_arn, None)
            sets = [alone]
            if record.target_group_arn and not name.startswith("HTTPCode_ELB"):
                sets.append(_dimensions(record.listener_arn, record.target_group_arn))
            found = tuple(MetricId.of(namespace, name, each) for each in sets)
            self._metrics[key] = found
        return found


def _samples(record: AccessRecord) -> Iterator[Sample]:
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


def _namespace(listener: str) -> str:
    return NETWORK if ":listener/net/" in listener else APPLICATION


def _dimensions(listener: str, target_group: str | None) -> Mapping[str, str]:
    """``app/name/id``, as a listener's ARN holds it, and ``targetgroup/name/id``."""
    _, _, path = listener.partition(":listener/")
    found = {"LoadBalancer": path.rpartition("/")[0]}
    if target_group is not None:
        found["TargetGroup"] = target_group.rpartition(":")[2]
    return found
