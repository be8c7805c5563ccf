"""The customers of a rehearsal: how many came, what they got, and who served them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rehearsal.building.load_balancer import LoadBalancer
from rehearsal.customers.client import ProductionClient
from rehearsal.customers.traffic import (
    Connections,
    ProductionTraffic,
    TrafficSettings,
)
from rehearsal.customers.watch import TrafficWatch
from rehearsal.scenario.scenario import Scenario
from rehearsal.stage import Stage

#: Seconds within which the access log has told of an answer that a customer has.
_LOG_ARRIVES = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """What customers met during one deployment.

    ``first_served`` says when each task definition first served one, in seconds since
    the epoch; ``record`` is the rehearsal record's ``production_traffic``.
    """

    record: Mapping[str, Any]
    first_served: Mapping[str, float]


class Customers:
    """A client that asks, and a watch on the access log; the two counts agree.

    Both are read while no request is in flight, so every request that was answered is
    in both or in neither.

    Args:
        client: Asks the production listener.
        watch: Is told of the listener's access log.
    """

    def __init__(self, client: ProductionClient, watch: TrafficWatch) -> None:
        self._client = client
        self._watch = watch
        self._before = client.so_far()

    def begin(self, task_definitions: Mapping[str, str]) -> None:
        """Count afresh for a deployment.

        Args:
            task_definitions: which one runs behind each target group, by ARN.
        """
        with self._client.at_rest() as now:
            self._before = now
            self._watch.begin(task_definitions)

    def end(self) -> Visits:
        """What customers met since ``begin``."""
        with self._client.at_rest() as now:
            requests = now.requests - self._before.requests
            failed = now.failed - self._before.failed
            served = self._watch.served(requests - failed, _LOG_ARRIVES)
        record = {
            "requests": requests,
            "failed": failed,
            "dropped": now.dropped - self._before.dropped,
            "failures": _failures(self._before, now),
            "served_by": {
                arn.rpartition("/")[2]: number
                for arn, number in served.requests.items()
            },
        }
        return Visits(record=record, first_served=served.first)


@contextmanager
def customers(
    stage: Stage, balancer: LoadBalancer, scenario: Scenario
) -> Iterator[Customers]:
    """Let customers come to the production listener until the end of the block."""
    traffic = scenario.content.traffic
    watch = TrafficWatch(balancer.production.arn)
    stage.data_plane.observe_access(watch)
    listener = scenario.content.load_balancer.production
    client = ProductionClient(
        TrafficSettings(
            port=balancer.production.port,
            paths=(traffic.path,),
            rate=traffic.rate,
            # A TCP listener counts connections: each request takes one of its own.
            connections=Connections.BOTH if listener.is_http else Connections.FRESH,
            encrypted=listener.is_encrypted,
        )
    )
    client.start()
    try:
        yield Customers(client, watch)
    finally:
        client.stop()


def _failures(before: ProductionTraffic, now: ProductionTraffic) -> list[str]:
    new = now.failures[len(before.failures) :]
    return [f"{each.path}: {each.reason}" for each in new]
