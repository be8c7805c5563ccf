"""The client of the production listener."""

import threading

import pytest
import trustme
from support.data_plane import (
    EchoTarget,
    closed_target,
    eventually,
    group,
    listener,
    scripted,
    serve,
)

from hookgate_rehearsal.data_plane.settings import Certificate, FixedResponse, Protocol
from hookgate_rehearsal.production_traffic import ProductionClient


@pytest.fixture(name="target")
def _target():
    target = EchoTarget()
    yield target
    target.close()


def visit(port, enough, **settings):
    """Send requests until a condition holds, and return the counts."""
    client = ProductionClient(port=port, rate=500, **settings)
    client.start()
    try:
        eventually(lambda: enough(client.so_far()))
    finally:
        result = client.stop()
    return result


def twenty(traffic):
    return traffic.requests >= 20


@pytest.mark.parametrize("reuses", [True, False])
def test_well(plane, target, reuses):
    """Without an error, every request is counted and none has failed."""
    records = []
    plane.observe_access(records.append)
    port = serve(plane, target.target)
    traffic = visit(port, twenty, reuses=reuses, path="/cart")

    assert (len(records), 0, ()) == (
        traffic.requests,
        traffic.failed,
        traffic.failures,
    )
    assert {"/cart"} == {record.path for record in records}
    assert {"Hookgate-Rehearsal"} == {record.user_agent for record in records}


def test_switch(plane, target):
    """A traffic shift fails no request, and both versions have served."""
    green = EchoTarget("green")
    seen = set()
    plane.observe_access(lambda record: seen.add(record.target_group_arn))
    port = serve(plane, target.target)
    group(plane, "green", green.target)
    flips = iter(range(10**9))

    def enough(traffic):
        plane.put_listener(listener(("group", "green")[next(flips) % 2]))
        return traffic.requests >= 200

    traffic = visit(port, enough)
    green.close()

    assert (0, {"group", "green"}) == (traffic.failed, seen)


@pytest.mark.parametrize(
    ("status", "failed"),
    [
        pytest.param(204, False, id="2xx"),
        pytest.param(302, False, id="3xx"),
        pytest.param(404, True, id="4xx"),
        pytest.param(503, True, id="5xx"),
    ],
)
def test_status(plane, status, failed):
    """A status that is neither 2xx nor 3xx is a failure, with its reason."""
    port = plane.put_listener(listener(FixedResponse(status=status)))
    traffic = visit(port, twenty)

    assert (traffic.requests if failed else 0, failed) == (
        traffic.failed,
        {f"/: status {status}"} == set(traffic.failures),
    )


def test_refused():
    """A refused connection is a failure; only the first ten have details."""
    traffic = visit(closed_target().port, twenty)

    assert (traffic.requests, 10) == (traffic.failed, len(traffic.failures))
    assert "/: the connection was refused" == traffic.failures[0]


def test_reset():
    """A connection that breaks is a failure."""
    with scripted(lambda visitor: (visitor.head(), visitor.reset())) as target:
        traffic = visit(target.port, twenty)

    assert traffic.requests == traffic.failed
    assert "was reset" in traffic.failures[0]


def test_too_slow():
    """A response after the timeout is a failure."""
    with scripted(lambda visitor: visitor.until_gone()) as target:
        traffic = visit(target.port, lambda t: t.failed >= 3, timeout=0.2)

    assert "/: no response within 0.2 s" == traffic.failures[0]


def test_dropped(target):
    """A request above the concurrency is counted as dropped."""
    target.gate.clear()
    client = ProductionClient(
        port=target.target.port, rate=500, path="/wait", concurrency=2
    )
    client.start()
    eventually(lambda: client.so_far().dropped >= 5)
    target.gate.set()
    traffic = client.stop()

    assert (True, 0) == (traffic.requests >= 2, traffic.failed)


def test_stop(target):
    """Stop waits for the running requests, and leaves no thread."""
    before = threading.active_count()
    target.gate.clear()
    client = ProductionClient(port=target.target.port, rate=500, path="/wait")
    client.start()
    eventually(lambda: len(target.asked) >= 3)
    opener = threading.Timer(0.05, target.gate.set)
    opener.start()
    traffic = client.stop()
    opener.join()

    assert (True, 0, traffic) == (
        traffic.requests >= 3,
        traffic.failed,
        client.so_far(),
    )
    eventually(lambda: threading.active_count() <= before + traffic.requests)


def test_encrypted(plane, target):
    """The client can use TLS."""
    leaf = trustme.CA().issue_cert("shop.example")
    certificate = Certificate(
        chain=leaf.cert_chain_pems[0].bytes(), key=leaf.private_key_pem.bytes()
    )
    settings = {"protocol": Protocol.HTTPS, "certificates": (certificate,)}
    port = serve(plane, target.target, **settings)
    traffic = visit(port, twenty, is_encrypted=True)

    assert 0 == traffic.failed
