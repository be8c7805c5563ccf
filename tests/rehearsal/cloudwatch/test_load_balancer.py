"""The load balancer's own numbers."""

import pytest

from hookgate_rehearsal.cloudwatch.load_balancer import LoadBalancerMetrics
from hookgate_rehearsal.cloudwatch.store import MetricId, MetricStore
from hookgate_rehearsal.data_plane.listener import AccessRecord
from hookgate_rehearsal.data_plane.settings import Target
from hookgate_rehearsal.data_plane.target_group import TargetHealth, TargetState

AT = 1_700_000_000.0
ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"
LISTENER = f"{ARN}listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"
NETWORK = f"{ARN}listener/net/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"
GROUP = f"{ARN}targetgroup/blue/73e2d6bc24d8a067"
BALANCER = {"LoadBalancer": "app/shop/50dc6c495c0c9188"}
BOTH = {**BALANCER, "TargetGroup": "targetgroup/blue/73e2d6bc24d8a067"}
TARGET = Target(id="127.0.0.1", port=8080)


def record(**changes):
    usual = {
        "listener_arn": LISTENER,
        "target_group_arn": GROUP,
        "target": TARGET,
        "method": "GET",
        "path": "/",
        "status": 200,
        "target_status": 200,
        "started": 1.0,
        "started_at": AT,
        "duration": 0.25,
        "user_agent": "",
        "trace_id": "",
    }
    return AccessRecord(**usual | changes)


def numbers(store, states=(), **settings):
    health = tuple(TargetHealth(target=TARGET, state=state) for state in states)
    return LoadBalancerMetrics(
        store,
        lambda: [(LISTENER, GROUP)] * 2,
        lambda _arn: health,
        **{"initial_is_unhealthy": False} | settings,
    )


def counted(*records):
    """The sums of the records, by name and whether a target group is named."""
    store = MetricStore(1.0, 100)
    taken = numbers(store)
    for each in records:
        taken(each)
    taken.flush()
    return store, {
        (metric.name, "TargetGroup" in dict(metric.dimensions)): store.window(
            metric, AT - 10, AT + 10
        ).statistic("Sum")
        for metric in store.metrics()
    }


def test_an_answer_of_a_target():
    """Requests, the class of the status and the time, with and without the group."""
    store, sums = counted(record(), record(target_status=503, status=503))

    names = ("RequestCount", "HTTPCode_Target_2XX_Count", "HTTPCode_Target_5XX_Count")
    assert [2.0, 1.0, 1.0] == [sums[name, True] for name in names]
    assert [2.0, 1.0, 1.0] == [sums[name, False] for name in names]
    assert 0.5 == sums["TargetResponseTime", True]
    metric = MetricId.of("AWS/ApplicationELB", "RequestCount", BOTH)
    assert ["Count"] == store.units(metric)


def test_an_error_of_the_load_balancers_own():
    """A target that did not answer counts as the load balancer's 502, not its own."""
    store, sums = counted(record(status=502, target_status=None, error="refused"))

    assert {
        ("RequestCount", True): 1.0,
        ("RequestCount", False): 1.0,
        ("TargetConnectionErrorCount", True): 1.0,
        ("TargetConnectionErrorCount", False): 1.0,
        ("HTTPCode_ELB_5XX_Count", False): 1.0,
        ("HTTPCode_ELB_502_Count", False): 1.0,
    } == sums
    assert store.metrics()[-1].dimensions == tuple(BALANCER.items())


def test_a_connection_through_a_network_load_balancer():
    """It is a flow in AWS/NetworkELB and no request."""
    store, _ = counted(
        record(listener_arn=NETWORK, method="TCP", status=0, target_status=None)
    )

    assert {("AWS/NetworkELB", "NewFlowCount")} == {
        (metric.namespace, metric.name) for metric in store.metrics()
    }


@pytest.mark.parametrize(
    ("initial_is_unhealthy", "expected"), [(False, (2.0, 1.0)), (True, (2.0, 2.0))]
)
def test_hosts_are_counted(initial_is_unhealthy, expected):
    """Healthy and unhealthy targets, once for a group however often it is named."""
    store = MetricStore(1.0, 100)
    states = [
        *(TargetState.HEALTHY, TargetState.HEALTHY, TargetState.UNHEALTHY),
        *(TargetState.INITIAL, TargetState.DRAINING),
    ]
    taken = numbers(store, states, initial_is_unhealthy=initial_is_unhealthy)

    taken.count_hosts(AT)

    found = tuple(
        store.window(
            MetricId.of("AWS/ApplicationELB", name, BOTH), AT, AT + 1
        ).statistic("Sum")
        for name in ("HealthyHostCount", "UnHealthyHostCount")
    )
    assert expected == found
