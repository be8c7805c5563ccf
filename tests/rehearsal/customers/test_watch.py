"""The watch on the access log."""

import threading
import time

import pytest

from rehearsal.customers.traffic import USER_AGENT
from rehearsal.customers.watch import Served, TrafficWatch
from rehearsal.data_plane import AccessRecord, Target

BEHIND = {"group-a": "shop:1", "group-b": "shop:2"}


def _line(**changes):
    return AccessRecord(
        **{
            "listener_arn": "production",
            "target_group_arn": "group-a",
            "target": Target(id="127.0.0.1", port=80),
            "method": "GET",
            "path": "/",
            "status": 200,
            "target_status": 200,
            "started": time.monotonic(),
            "started_at": 100.0,
            "duration": 0.01,
            "user_agent": USER_AGENT,
            "trace_id": "Root=1",
        }
        | changes
    )


@pytest.fixture(name="watch")
def _watch():
    watch = TrafficWatch("production")
    watch.begin(BEHIND)
    return watch


def test_requests_are_counted_by_task_definition(watch):
    """Each version has its count and the time of its first customer."""
    watch(_line())
    watch(_line(target_group_arn="group-b", started_at=101.0))
    watch(_line(target_group_arn="group-b", started_at=102.0))
    expected = Served(
        requests={"shop:1": 1, "shop:2": 2}, first={"shop:1": 100.0, "shop:2": 101.0}
    )
    assert expected == watch.served()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, {"shop:1": 1}, id="customer"),
        pytest.param({"target_status": 500}, {"shop:1": 1}, id="served badly"),
        pytest.param({"target_group_arn": "other"}, {"unknown": 1}, id="other group"),
        pytest.param({"method": "TCP", "user_agent": ""}, {"shop:1": 1}, id="TCP"),
        pytest.param({"listener_arn": "test"}, {}, id="test listener"),
        pytest.param({"target_status": None}, {}, id="no answer"),
        pytest.param({"user_agent": "curl"}, {}, id="somebody else"),
        pytest.param({"method": "TCP", "error": "refused"}, {}, id="TCP refused"),
    ],
)
def test_only_customers_are_counted(watch, changes, expected):
    """A customer who was served counts; hooks, people and failures do not."""
    watch(_line(**changes))
    assert expected == watch.served().requests


def test_each_deployment_counts_afresh(watch):
    """A new deployment starts from nothing."""
    watch(_line())
    watch.begin(BEHIND)
    assert Served(requests={}, first={}) == watch.served()


def test_a_connection_of_before_is_not_the_next_deployments(watch):
    """A TCP listener's line comes when the connection has ended, perhaps much later."""
    late = _line(method="TCP", user_agent="")
    watch.begin(BEHIND)
    watch(late)
    watch(_line(method="TCP", user_agent="", target_group_arn="group-b"))
    assert {"shop:2": 1} == watch.served().requests


def test_lines_are_waited_for(watch):
    """Requests that are known to be served are waited for."""
    teller = threading.Timer(0.01, watch, (_line(),))
    teller.start()
    try:
        assert {"shop:1": 1} == watch.served(1, 60).requests
    finally:
        teller.join()


def test_wait_is_bounded(watch):
    """A line that never comes does not keep the rehearsal."""
    assert {} == watch.served(1, 0.01).requests
