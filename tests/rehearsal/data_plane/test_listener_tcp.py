"""Connections, carried through a TCP listener."""

import contextlib
from collections import Counter
from random import Random

import pytest
from support.data_plane import (
    closed_target,
    connect,
    eventually,
    group,
    listener,
    raw,
    scripted,
    serve,
)

from hookgate_rehearsal.data_plane.settings import FixedResponse, Forward, Protocol

SEED = 7


def shout(visitor):
    """Return all data in upper case once the client has sent it."""
    visitor.send(visitor.until_gone().upper())


def naming(name):
    def script(visitor):
        visitor.send(name)

    return script


def tcp(plane, target, **settings):
    return serve(plane, target, protocol=Protocol.TCP, **settings)


def test_both_ways(plane):
    """Megabytes go both ways, and each side may close its own direction."""
    data = b"tea" * 1_000_000
    with scripted(shout) as target, connect(tcp(plane, target)) as client:
        # The target reads all before it answers, so that this cannot lock up.
        client.sendall(data)
        client.shutdown(1)
        out = b""
        while piece := client.recv(1 << 20):
            out += piece

    assert data.upper() == out


def test_weights(plane):
    """Each connection is given to a target group by chance, as the weights say."""
    with scripted(naming(b"blue")) as blue, scripted(naming(b"green")) as green:
        for arn, target in (("blue", blue), ("green", green)):
            group(plane, arn, target, protocol=Protocol.TCP)
        weights = {"blue": 70, "green": 30}
        settings = listener(Forward(weights=weights), protocol=Protocol.TCP)
        port = plane.put_listener(settings)
        seen = Counter(raw(port, b"") for _ in range(100))
    chance = Random(SEED)  # noqa: S311 - to be foretold
    expected = Counter(
        chance.choices([b"blue", b"green"], cum_weights=[70, 100])[0]
        for _ in range(100)
    )

    assert expected == seen


def test_switch_keeps_connections(plane):
    """A connection stays with its target when the listener turns to another."""
    with scripted(shout) as blue, scripted(naming(b"green")) as green:
        port = tcp(plane, blue)
        group(plane, "green", green, protocol=Protocol.TCP)
        with connect(port) as old:
            old.sendall(b"still")
            eventually(lambda: plane.in_flight("group", blue))
            plane.put_listener(listener("green", protocol=Protocol.TCP))
            new = raw(port, b"")
            old.shutdown(1)

            assert (b"STILL", b"green") == (old.recv(100), new)


def test_record(plane, records):
    """A connection is one line in the access log."""
    with scripted(naming(b"hi")) as target:
        raw(tcp(plane, target), b"")
        eventually(lambda: records)

    assert ("TCP", 0, target, True) == (
        records[0].method,
        records[0].status,
        records[0].target,
        records[0].is_served,
    )


@pytest.mark.parametrize(
    ("targets", "why"),
    [
        pytest.param((), "no target is registered", id="no target"),
        pytest.param((closed_target(),), "refused", id="refused"),
    ],
)
def test_no_target(plane, records, targets, why):
    """A connection without a target is reset."""
    group(plane, "group", *targets, protocol=Protocol.TCP)
    port = plane.put_listener(listener("group", protocol=Protocol.TCP))
    with pytest.raises(ConnectionResetError):
        raw(port, b"")
    eventually(lambda: records)

    assert why in records[0].error
    assert not records[0].is_served


def test_no_data(plane, records):
    """A silent connection is ended after the idle timeout."""
    with scripted(shout) as target, pytest.raises(ConnectionResetError):
        raw(tcp(plane, target, idle_timeout=0.2), b"hello")
    eventually(lambda: records)

    assert "idle timeout" in records[0].error


def test_cut(plane):
    """After the deregistration delay, connections to a target are ended."""
    with scripted(shout) as target, connect(tcp(plane, target)) as client:
        client.sendall(b"hello")
        eventually(lambda: plane.in_flight("group", target))
        plane.deregister("group", target)
        with contextlib.suppress(ConnectionResetError):
            assert b"" == client.recv(1)
        eventually(lambda: not plane.health("group"))


def test_only_forwards(plane):
    """A TCP listener cannot answer by itself."""
    with pytest.raises(ValueError, match="can only forward"):
        listener(FixedResponse(status=200), protocol=Protocol.TCP)
