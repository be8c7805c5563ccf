"""Targets, groups and listeners, as the control plane changes them."""

import json
import socket
import threading
from http.client import HTTPConnection
from random import Random

import pytest
from support.data_plane import (
    TIMEOUT,
    all_healthy,
    closed_target,
    connect,
    eventually,
    get,
    group,
    listener,
    states,
    who,
)

from hookgate_rehearsal.data_plane.plane import DataPlane
from hookgate_rehearsal.data_plane.settings import (
    Condition,
    FixedResponse,
    Forward,
    ListenerRule,
)
from hookgate_rehearsal.data_plane.target_group import TargetState

SEED = 7


@pytest.fixture(name="colours")
def _colours(plane, echo):
    """A blue and a green target group, each with one healthy target."""
    for name in ("blue", "green"):
        group(plane, name, echo(name).target)


def test_weights(plane, colours):
    """Each request is given to a target group by chance, as the weights say."""
    port = plane.put_listener(listener(Forward(weights={"blue": 90, "green": 10})))
    chance = Random(SEED)  # noqa: S311 - to be foretold
    expected = [
        chance.choices(["blue", "green"], cum_weights=[90, 100])[0] for _ in range(200)
    ]

    assert expected == [who(port) for _ in range(200)]


def test_weight_of_0(plane, colours):
    """A target group with weight 0 gets no request."""
    port = plane.put_listener(listener(Forward(weights={"blue": 0, "green": 1})))

    assert {"green"} == {who(port) for _ in range(20)}


def test_no_weight(plane, colours, records):
    """Where every weight is 0, the answer is 503."""
    port = plane.put_listener(listener(Forward(weights={"blue": 0})))

    assert (503, "every weight is 0") == (get(port)[0].status, records[0].error)


def test_switch_on_one_connection(plane, colours):
    """A change holds for the next request of a connection that is open already."""
    port = plane.put_listener(listener("blue"))
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    seen = []
    for arn in ("blue", "green", "blue"):
        assert port == plane.put_listener(listener(arn))
        connection.request("GET", "/")
        seen.append(json.load(connection.getresponse())["name"])
    connection.close()

    assert ["blue", "green", "blue"] == seen


def test_switch_under_load(plane, colours, records):
    """No request is lost while a listener flips fifty times."""
    port = plane.put_listener(listener("blue"))
    over = threading.Event()
    statuses = []

    def visit(keep_alive):
        connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        while not over.is_set():
            connection.request("GET", "/")
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
            if not keep_alive:
                connection.close()
        connection.close()

    visitors = [threading.Thread(target=visit, args=(n % 2,)) for n in range(4)]
    for visitor in visitors:
        visitor.start()
    for flip in range(50):
        plane.put_listener(listener(("green", "blue")[flip % 2]))
        reached = len(statuses) + 8
        eventually(lambda reached=reached: len(statuses) >= reached)
    over.set()
    for visitor in visitors:
        visitor.join()

    assert ({200}, {"blue", "green"}, len(statuses)) == (
        set(statuses),
        {record.target_group_arn for record in records},
        len(records),
    )


def test_round_robin(plane, echo):
    """Within a target group, the healthy targets take turns."""
    targets = [echo(name) for name in "abc"]
    group(plane, "group", *(target.target for target in targets))
    port = plane.put_listener(listener("group"))
    all_healthy(plane, "group")

    names = [who(port) for _ in range(9)]

    assert [3, 3, 3] == [names.count(name) for name in "abc"]


def test_only_healthy(plane, echo):
    """A target that is not well gets no request while another one is."""
    well, ill = echo("well"), echo("ill")
    ill.health = 500
    group(plane, "group", well.target, ill.target)
    port = plane.put_listener(listener("group"))
    eventually(
        lambda: [TargetState.HEALTHY, TargetState.UNHEALTHY] == states(plane, "group")
    )

    assert {"well"} == {who(port) for _ in range(10)}


def test_fail_open(plane, echo):
    """Where no target is well, every one gets requests."""
    targets = [echo(name) for name in "ab"]
    for target in targets:
        target.health = 500
    group(plane, "group", *(target.target for target in targets))
    port = plane.put_listener(listener("group"))
    eventually(lambda: {TargetState.UNHEALTHY} == set(states(plane, "group")))

    assert {"a", "b"} == {who(port) for _ in range(4)}


def test_no_target(plane, records):
    """A target group without targets answers 503."""
    group(plane, "group")
    port = plane.put_listener(listener("group"))
    answer, body = get(port)

    assert (503, True, "no target is registered") == (
        answer.status,
        b"503 Service Unavailable" in body,
        records[0].error,
    )


def test_rules(plane, colours):
    """The first rule whose conditions hold is followed, by priority."""
    port = plane.put_listener(
        listener(
            "blue",
            rules=(
                ListenerRule(
                    priority=2,
                    conditions=(Condition(field="path-pattern", values=("/new/*",)),),
                    action=FixedResponse(status=418, body=b"later"),
                ),
                ListenerRule(
                    priority=1,
                    conditions=(Condition(field="path-pattern", values=("/new*",)),),
                    action=Forward(weights={"green": 1}),
                ),
            ),
        )
    )

    assert ("green", "blue") == (who(port, "/new/x"), who(port, "/old"))


def test_drain(plane, echo):
    """A deregistered target finishes what it works on, gets nothing new, and goes."""
    old, new = echo("old"), echo("new")
    group(plane, "group", old.target, deregistration_delay=3600.0)
    port = plane.put_listener(listener("group"))
    all_healthy(plane, "group")
    old.gate.clear()
    answers = []
    running = threading.Thread(target=lambda: answers.append(who(port, "/wait")))
    running.start()
    eventually(lambda: plane.in_flight("group", old.target))
    plane.deregister("group", old.target)
    plane.register("group", new.target)
    during = {who(port) for _ in range(5)}
    draining = plane.health("group")[0]
    old.gate.set()
    running.join()

    assert ({"new"}, ["old"], "draining", "Target.DeregistrationInProgress", 0) == (
        during,
        answers,
        draining.state,
        draining.reason,
        plane.in_flight("group", old.target),
    )


def test_forgotten(plane, echo):
    """After the deregistration delay a target is gone, and what still ran is cut."""
    target = echo()
    target.gate.clear()
    group(plane, "group", target.target, deregistration_delay=0.05)
    port = plane.put_listener(listener("group"))
    statuses = []
    running = threading.Thread(
        target=lambda: statuses.append(get(port, "/wait")[0].status)
    )
    running.start()
    eventually(lambda: plane.in_flight("group", target.target))
    plane.deregister("group", target.target)
    running.join()
    eventually(lambda: not plane.health("group"))

    assert ([502], 503) == (statuses, get(port)[0].status)


def test_register_again(plane, echo):
    """A target that drains and is registered again stays."""
    target = echo().target
    group(plane, "group", target, deregistration_delay=3600.0)
    plane.put_listener(listener("group"))
    plane.deregister("group", target)
    plane.register("group", target)
    all_healthy(plane, "group")

    assert 1 == len(plane.health("group"))


def test_access_record(plane, echo, records):
    """An answer is in the access log before the client has it."""
    target = echo().target
    group(plane, "group", target)
    port = plane.put_listener(listener("group"))
    get(port, "/a?b=c", "POST", **{"User-Agent": "me", "X-Amzn-Trace-Id": "Root=1-2"})

    (record,) = records
    output = (record.method, record.path, record.status, record.user_agent)

    assert ("POST", "/a?b=c", 200, "me") == output
    assert ("listener", "group", target, 200, "Root=1-2") == (
        record.listener_arn,
        record.target_group_arn,
        record.target,
        record.target_status,
        record.trace_id,
    )


def test_failing_observer(plane, echo, caplog):
    """An observer that fails costs no answer, and is heard of."""

    def fail(_record):
        raise ValueError("out of paper")

    plane.observe_access(fail)
    group(plane, "group", echo().target)
    port = plane.put_listener(listener("group"))

    assert 200 == get(port)[0].status
    assert "out of paper" in caplog.text


def test_ask_from_an_observer(plane, echo):
    """An observer may ask the data plane, but not make it wait for itself."""
    output = []

    def look(_record):
        output.append(len(plane.health("group")))
        with pytest.raises(RuntimeError, match="cannot wait for itself"):
            plane.put_listener(listener("group"))
        output.append("refused")

    plane.observe_access(look)
    group(plane, "group", echo().target)
    get(plane.put_listener(listener("group")))

    assert [1, "refused"] == output


def test_other_port(plane, echo):
    """A listener that is given another port moves there."""
    group(plane, "group", echo().target)
    old = plane.put_listener(listener("group"))
    new = plane.put_listener(listener("group", port=closed_target().port))

    assert "blue" == who(new)
    with pytest.raises(ConnectionRefusedError):
        connect(old)


def test_port_taken(plane, echo):
    """A port that is taken is named."""
    group(plane, "group", echo().target)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(OSError, match=str(server.getsockname()[1])),
    ):
        plane.put_listener(listener("group", port=server.getsockname()[1]))


def test_unknown_group(plane):
    """A listener cannot forward to a target group that does not exist."""
    with pytest.raises(KeyError, match="no target group nowhere"):
        plane.put_listener(listener("nowhere"))


def test_group_in_use(plane, echo):
    """A target group that a listener names cannot be removed, and can be after that."""
    group(plane, "group", echo().target)
    plane.put_listener(listener("group"))
    with pytest.raises(ValueError, match="in use by a listener"):
        plane.remove_target_group("group")
    plane.remove_listener("listener")
    plane.remove_target_group("group")

    with pytest.raises(KeyError):
        plane.health("group")


def test_close(echo):
    """A data plane that is closed leaves no thread and no port, whatever was open."""
    before = threading.active_count()
    plane = DataPlane()
    plane.start()
    group(plane, "group", closed_target())
    port = plane.put_listener(listener("group"))
    with connect(port) as idle:
        plane.close()
        plane.close()

        assert (before, b"") == (threading.active_count(), _rest(idle))
    with pytest.raises(ConnectionRefusedError):
        connect(port)


def test_not_started():
    """A data plane that is not started says so."""
    with pytest.raises(RuntimeError, match=r"call start\(\) first"):
        DataPlane().health("group")


def _rest(sock):
    try:
        return sock.recv(1)
    except ConnectionResetError:
        return b""
