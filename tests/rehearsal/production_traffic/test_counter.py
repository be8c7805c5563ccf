"""The counter of production traffic: client and access log agree."""

import socketserver
import threading
import time

import pytest
from support.answering import answering
from support.emulator_setup import wait_for

from hookgate_rehearsal.data_plane.listener import AccessRecord
from hookgate_rehearsal.data_plane.settings import Target
from hookgate_rehearsal.production_traffic import (
    ProductionClient,
    TrafficCounter,
    TrafficWatch,
)

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Listener:
    """A listener that writes its access log before it responds, as the emulator's."""

    def __init__(self, watch):
        self.watch = watch
        self.fails = threading.Event()

    def log(self):
        """Write one line of the access log."""
        self.watch(
            AccessRecord(
                listener_arn="production",
                target_group_arn="group-a",
                target=Target(id="127.0.0.1", port=1),
                method="GET",
                path="/",
                status=200,
                target_status=200,
                started=time.monotonic(),
                started_at=100.0,
                duration=0.0,
                user_agent="Hookgate-Rehearsal",
                trace_id="",
            )
        )


@pytest.fixture(name="watch")
def _watch():
    return TrafficWatch("production")


@pytest.fixture(name="listener")
def _listener(watch):
    return Listener(watch)


@pytest.fixture(name="port")
def _port(listener):
    """A real server in front of the listener's log."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            while self.rfile.readline():
                while self.rfile.readline().strip():
                    pass
                if listener.fails.is_set():
                    return
                listener.log()
                self.wfile.write(ANSWER)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with answering(Server(("127.0.0.1", 0), Handler), 0.01) as server:
        yield server.server_address[1]


@pytest.fixture(name="client")
def _client(port):
    client = ProductionClient(port=port, rate=500)
    client.start()
    yield client
    client.stop()


@pytest.fixture(name="counter")
def _counter(client, watch):
    return TrafficCounter(client, watch)


def _come(client, number):
    """Wait until ``number`` more requests have ended."""
    before = client.so_far().requests
    wait_for(lambda: client.so_far().requests >= before + number)


def test_counts_agree_whenever_they_are_taken(counter, client):
    """At 500 requests/s, the client and the access log always have the same count."""
    for _ in range(5):
        counter.begin({"group-a": "arn:shop:1", "group-b": "arn:shop:2"})
        _come(client, 20)
        record, _ = counter.end()
        assert {"requests": record["requests"]} == {
            "requests": sum(record["served_by"].values())
        }


def test_task_definitions_are_family_and_revision(counter, client):
    """The record names a task definition by family and revision."""
    counter.begin({"group-a": "arn:aws:ecs:x:1:task-definition/shop:1"})
    _come(client, 1)
    record, first_served = counter.end()
    assert ["shop:1"] == list(record["served_by"])
    assert {"arn:aws:ecs:x:1:task-definition/shop:1": 100.0} == first_served


def test_failures_have_a_reason(counter, client, listener):
    """Failed requests are counted, and the first have their reasons."""
    counter.begin({"group-a": "shop:1"})
    listener.fails.set()
    _come(client, 3)
    record, _ = counter.end()
    assert 1 <= record["failed"]
    assert record["failures"][0].startswith("/: ")


def test_failures_before_a_deployment_are_not_counted(counter, client, listener):
    """The counts of a deployment exclude earlier failures."""
    listener.fails.set()
    _come(client, 3)
    listener.fails.clear()
    # A served request followed the failed ones.
    before = client.so_far()
    wait_for(lambda: _good(client) > _good_of(before) + 5)
    counter.begin({"group-a": "shop:1"})
    _come(client, 5)
    record, _ = counter.end()
    assert (0, []) == (record["failed"], record["failures"])


def _good_of(traffic):
    return traffic.requests - traffic.failed


def _good(client):
    return _good_of(client.so_far())


def test_requests_resume_after_a_count(counter, client):
    """Pausing the client for a count does not stop it."""
    counter.begin({"group-a": "shop:1"})
    counter.end()
    _come(client, 5)
    assert 5 <= client.so_far().requests
