"""The observer of the access log."""

import threading
import time

import pytest

from hookgate_rehearsal.data_plane.listener import AccessRecord
from hookgate_rehearsal.data_plane.settings import Target
from hookgate_rehearsal.production_traffic import USER_AGENT, TrafficWatch

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
    """Each version has its count and the time of its first request."""
    watch(_line())
    watch(_line(target_group_arn="group-b", started_at=101.0))
    watch(_line(target_group_arn="group-b", started_at=102.0))
    expected = ({"shop:1": 1, "shop:2": 2}, {"shop:1": 100.0, "shop:2": 101.0})
    assert expected == watch.served()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, {"shop:1": 1}, id="served"),
        pytest.param({"target_status": 500}, {"shop:1": 1}, id="served badly"),
        pytest.param({"target_group_arn": "other"}, {"unknown": 1}, id="other group"),
        pytest.param({"method": "TCP", "user_agent": ""}, {"shop:1": 1}, id="TCP"),
        pytest.param({"listener_arn": "test"}, {}, id="test listener"),
        pytest.param({"target_status": None}, {}, id="no answer"),
        pytest.param({"user_agent": "curl"}, {}, id="another client"),
        pytest.param({"method": "TCP", "error": "refused"}, {}, id="TCP refused"),
    ],
)
def test_only_production_traffic_is_counted(watch, changes, expected):
    """Served requests of the client count; other clients and failures do not."""
    watch(_line(**changes))
    assert expected == watch.served()[0]


def test_each_deployment_starts_from_zero(watch):
    """A new deployment starts from zero."""
    watch(_line())
    watch.begin(BEHIND)
    assert ({}, {}) == watch.served()


def test_an_earlier_connection_is_not_counted(watch):
    """A TCP listener logs a connection when it ends, which may be much later."""
    late = _line(method="TCP", user_agent="")
    watch.begin(BEHIND)
    watch(late)
    watch(_line(method="TCP", user_agent="", target_group_arn="group-b"))
    assert {"shop:2": 1} == watch.served()[0]


def test_waits_for_lines(watch):
    """The watch waits for the lines of requests known to be served."""
    logger = threading.Timer(0.01, watch, (_line(),))
    logger.start()
    try:
        assert {"shop:1": 1} == watch.served(1, 60)[0]
    finally:
        logger.join()


def test_wait_is_bounded(watch):
    """A line that never arrives does not delay the rehearsal."""
    assert {} == watch.served(1, 0.01)[0]
