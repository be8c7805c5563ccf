"""The results of health checks."""

import asyncio

import pytest
from support.data_plane import (
    QUICK,
    all_healthy,
    closed_target,
    eventually,
    group,
    listener,
    scripted,
    states,
)

from hookgate_rehearsal.data_plane.settings import (
    FixedResponse,
    Forward,
    HealthCheck,
    Protocol,
    Target,
)
from hookgate_rehearsal.data_plane.target_group import (
    HealthRecord,
    TargetHealth,
    TargetState,
    check_target,
    matches,
)

TARGET = Target(id="127.0.0.1", port=1)
GOOD = TargetHealth(target=TARGET, state=TargetState.HEALTHY)
BAD = TargetHealth(
    target=TARGET,
    state=TargetState.UNHEALTHY,
    reason="Target.Timeout",
    description="Request timed out",
)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        pytest.param("+", "healthy", id="one is enough at first"),
        pytest.param("-", "initial", id="one bad is not enough at first"),
        pytest.param("--", "unhealthy", id="as many bad as the threshold"),
        pytest.param("-+", "healthy", id="slow start"),
        pytest.param("+-", "healthy", id="a slip"),
        pytest.param("+-+-", "healthy", id="slips"),
        pytest.param("+--", "unhealthy", id="ill"),
        pytest.param("--++", "unhealthy", id="not yet well"),
        pytest.param("--+++", "healthy", id="well again"),
        pytest.param("--++-++", "unhealthy", id="runs start over"),
    ],
)
def test_thresholds(results, expected):
    """A state changes after as many equal results in a row as its threshold."""
    check = HealthCheck(healthy_threshold=3, unhealthy_threshold=2)
    record = HealthRecord(TARGET)
    for result in results:
        record.add(GOOD if result == "+" else BAD, check)

    assert expected == record.health.state


def test_reasons():
    """A state that is not healthy has ELB's reason, a healthy one none."""
    check = HealthCheck(unhealthy_threshold=1)
    record = HealthRecord(TARGET)
    text = [record.health.reason]
    for result in (BAD, GOOD):
        record.add(result, check)
        text.append(record.health.reason)

    assert ["Elb.RegistrationInProgress", "Target.Timeout", "Target.Timeout"] == text


@pytest.mark.parametrize(
    ("status", "matcher", "expected"),
    [
        pytest.param(200, "200", True, id="one"),
        pytest.param(201, "200", False, id="another"),
        pytest.param(202, "200,202", True, id="list"),
        pytest.param(299, "200-299", True, id="range"),
        pytest.param(301, "200-299, 301", True, id="range and one"),
        pytest.param(300, "200-299", False, id="beyond"),
    ],
)
def test_matcher(status, matcher, expected):
    """A matcher names statuses one by one and by range."""
    assert expected == matches(status, matcher)


def replying(answer):
    def script(visitor):
        visitor.head()
        visitor.send(answer)

    return script


@pytest.mark.parametrize(
    ("script", "reason", "description"),
    [
        pytest.param(replying(b"HTTP/1.1 200 OK\r\n\r\n"), None, None, id="well"),
        pytest.param(
            replying(b"HTTP/1.1 503 No\r\n\r\n"),
            "Target.ResponseCodeMismatch",
            "Health checks failed with these codes: [503]",
            id="other status",
        ),
        pytest.param(
            lambda visitor: visitor.until_gone(),
            "Target.Timeout",
            "Request timed out",
            id="silent",
        ),
        pytest.param(
            replying(b"hello\r\n"),
            "Target.FailedHealthChecks",
            "Health checks failed",
            id="not HTTP",
        ),
        pytest.param(
            replying(b"x" * 100_000),
            "Target.FailedHealthChecks",
            "Health checks failed",
            id="endless line",
        ),
        pytest.param(
            lambda visitor: visitor.head(),
            "Target.FailedHealthChecks",
            "Health checks failed",
            id="closed",
        ),
    ],
)
def test_check(script, reason, description):
    """A health check says what it saw in ELB's words."""
    with scripted(script) as target:
        check = HealthCheck(timeout=0.3 if reason == "Target.Timeout" else 30)
        result = asyncio.run(check_target(target, check))

    assert (reason is None, reason, description) == (
        result.state == "healthy",
        result.reason,
        result.description,
    )


def test_check_of_no_client():
    """A target that refuses connections fails its health checks."""
    result = asyncio.run(check_target(closed_target(), HealthCheck()))

    assert "Target.FailedHealthChecks" == result.reason


def test_check_by_connecting():
    """A TCP health check is content with a connection."""
    with scripted(lambda visitor: visitor.until_gone()) as target:
        check = HealthCheck(protocol=Protocol.TCP)

        assert "healthy" == asyncio.run(check_target(target, check)).state


def test_check_elsewhere(plane, echo):
    """A health check may ask another port than the traffic's."""
    well, other = echo(), closed_target()
    check = HealthCheck(path="/health", interval=0.05, port=well.target.port)
    group(plane, "group", other, health_check=check)
    plane.put_listener(listener("group"))
    all_healthy(plane, "group")

    assert "/health" in well.asked


def test_life(plane, echo):
    """A target is followed through illness and recovery."""
    target = echo()
    target.health = 500
    group(plane, "group", target.target)
    plane.put_listener(listener("group"))
    seen = []
    for health, state in ((500, "unhealthy"), (200, "healthy"), (503, "unhealthy")):
        target.health = health
        eventually(lambda state=state: [state] == states(plane, "group"))
        seen.append(plane.health("group")[0].description)

    assert [
        "Health checks failed with these codes: [500]",
        None,
        "Health checks failed with these codes: [503]",
    ] == seen


def test_unused(plane, echo):
    """The targets of a group that no listener names are unused, and not asked."""
    target = echo()
    group(plane, "group", target.target)
    health = plane.health("group")[0]

    assert ("unused", "Target.NotInUse", []) == (
        health.state,
        health.reason,
        target.asked,
    )


def test_weight_of_0_is_in_use(plane, echo):
    """A group that a listener names with weight 0 is asked for its health."""
    group(plane, "group", echo().target)
    plane.put_listener(listener(Forward(weights={"group": 0})))
    all_healthy(plane, "group")


def test_out_of_use(plane, echo):
    """A group that no listener names any more is unused, and its past forgotten."""
    group(plane, "group", echo().target)
    plane.put_listener(listener("group"))
    all_healthy(plane, "group")
    plane.put_listener(listener(FixedResponse(status=200)))
    unused = states(plane, "group")
    plane.put_listener(listener("group"))
    all_healthy(plane, "group")

    assert [TargetState.UNUSED] == unused


def test_late_target(plane):
    """A target that starts late is initial, and is found soon after it is up."""
    up = []

    def script(visitor):
        if visitor.head() and up:
            visitor.send(b"HTTP/1.1 200 OK\r\n\r\n")

    check = HealthCheck(interval=3600.0, unhealthy_threshold=2)
    with scripted(script) as target:
        group(plane, "group", target, health_check=check)
        plane.put_listener(listener("group"))
        eventually(
            lambda: plane.health("group")[0].reason == "Elb.InitialHealthChecking"
        )
        up.append(True)
        all_healthy(plane, "group")


def test_settings_change(plane, echo):
    """Other settings hold from the next health check on."""
    group(plane, "group", echo().target)
    plane.put_listener(listener("group"))
    all_healthy(plane, "group")
    stricter = HealthCheck(path="/health", interval=0.05, matcher="204")
    group(plane, "group", health_check=stricter)

    eventually(lambda: ["unhealthy"] == states(plane, "group"))
    assert QUICK.matcher == "200"


@pytest.mark.parametrize("wrong", [{"interval": 0}, {"healthy_threshold": 0}])
def test_nonsense(wrong):
    """A health check that could measure nothing is refused."""
    with pytest.raises(ValueError, match="a health check's"):
        HealthCheck(**wrong)
