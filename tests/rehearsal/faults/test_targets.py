"""Tasks that misbehave: real requests and health checks through their proxies."""

import http.client
from functools import partial

import pytest
from support.data_plane import (
    QUICK,
    EchoTarget,
    eventually,
    get,
    group,
    listener,
    serve,
    who,
)

from hookgate_rehearsal.data_plane.settings import HealthCheck
from hookgate_rehearsal.data_plane.target_group import TargetState
from hookgate_rehearsal.faults.schema import FaultsFile
from hookgate_rehearsal.faults.targets import (
    FaultyRouting,
    delay,
    image,
    request_faults,
)


@pytest.fixture(name="task")
def _task():
    echo = EchoTarget("green")
    yield echo
    echo.close()


def faults(**ordered):
    return FaultsFile.model_validate(ordered)


def proxied(plane, task, number=0, **ordered):
    """Where a faulty task is registered."""
    found = faults(**ordered)
    routing = partial(FaultyRouting, faults=request_faults(found, number))
    return plane.open_target_proxy(task.target, routing, delay(found, number))


def statuses(port, count):
    return [get(port)[0].status for _ in range(count)]


def test_errors_come_at_the_rate_that_was_ordered(plane, task):
    """0.5 % of 400 requests are two, spread evenly, and all others reach the task."""
    port = serve(plane, proxied(plane, task, errors={"rate": "0.5%", "status": 503}))

    got = statuses(port, 400)

    assert [199, 399] == [n for n, status in enumerate(got) if status == 503]
    assert {200, 503} == set(got)


def test_errors_spare_health_checks_by_default(plane, task):
    """A load balancer sees a bad task only if its health checks fail too."""
    for spared, state in (
        ("pass", TargetState.HEALTHY),
        ("fail", TargetState.UNHEALTHY),
    ):
        ordered = {"rate": "100%", "health_checks": spared}
        arn = group(
            plane, spared, proxied(plane, task, errors=ordered), health_check=QUICK
        )
        serve_group(plane, arn)
        eventually(lambda arn=arn, state=state: [state] == states(plane, arn))


def serve_group(plane, arn):
    return plane.put_listener(listener(arn))


def states(plane, arn):
    return [each.state for each in plane.health(arn)]


def test_late_task_refuses_connections(plane, task):
    """Until then, connections are refused."""
    late = proxied(plane, task, late_start={"by": "1h"})

    with pytest.raises(ConnectionRefusedError):
        get(late.port)


def test_late_task_comes(plane, task):
    """Once its time has come, requests reach it."""
    port = serve(plane, proxied(plane, task, late_start={"by": "50ms"}))

    eventually(lambda: get(port)[0].status == 200)


def test_flapping_task_goes_and_comes(plane, task):
    """It answers well, then 503, then well again."""
    port = serve(plane, proxied(plane, task, flapping={"up": "200ms", "down": "200ms"}))

    eventually(lambda: get(port)[0].status == 200)
    eventually(lambda: get(port)[0].status == 503)
    eventually(lambda: get(port)[0].status == 200)


def test_half_open_task_never_answers(plane, task):
    """A connection is taken, and nothing ever comes."""
    silent = proxied(plane, task, half_open={})
    client = http.client.HTTPConnection(silent.id, silent.port, timeout=0.3)
    client.request("GET", "/")

    with pytest.raises(TimeoutError):
        client.getresponse()

    client.close()
    assert [] == task.asked


def test_half_open_task_is_unhealthy(plane, task):
    """Its health checks time out."""
    check = HealthCheck(path="/", interval=0.1, timeout=0.05, unhealthy_threshold=2)
    arn = group(plane, "g", proxied(plane, task, half_open={}), health_check=check)
    serve_group(plane, arn)

    eventually(lambda: [TargetState.UNHEALTHY] == states(plane, arn))


def test_proxy_without_a_fault_forwards_unchanged(plane, task):
    """Without a fault for its task, a proxy changes nothing."""
    port = serve(
        plane, proxied(plane, task, number=1, errors={"rate": "100%", "tasks": 1})
    )

    assert "green" == who(port)


@pytest.mark.parametrize(
    ("number", "expected"), [(0, True), (1, True), (2, False), (3, False)]
)
def test_first_tasks_are_affected(number, expected):
    """The first tasks that a version starts are; those that replace them are not."""
    ordered = faults(
        late_start={"by": "1s", "tasks": 2},
        errors={"rate": "1%", "tasks": 2},
        wrong_version={"image": "shop:1", "tasks": 2},
    )
    found = (
        delay(ordered, number),
        len(request_faults(ordered, number)),
        image(ordered, number),
    )
    assert ((1.0, 1, "shop:1") if expected else (0.0, 0, None)) == found
