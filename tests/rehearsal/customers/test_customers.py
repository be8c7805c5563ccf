"""The customers: two counts that agree."""

import socketserver
import threading
import time

import pytest
from support.answering import answering
from support.stage_setting import wait_for

from rehearsal.customers.client import ProductionClient
from rehearsal.customers.customers import Customers
from rehearsal.customers.traffic import TrafficSettings
from rehearsal.customers.watch import TrafficWatch
from rehearsal.data_plane import AccessRecord, Target

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Listener:
    """A listener that writes its access log before it answers, as the stage's does."""

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
    client = ProductionClient(TrafficSettings(port=port, rate=500))
    client.start()
    yield client
    client.stop()


@pytest.fixture(name="customers")
def _customers(client, watch):
    return Customers(client, watch)


def _come(client, number):
    """Wait until so many more requests have ended."""
    before = client.so_far().requests
    wait_for(lambda: client.so_far().requests >= before + number)


def test_counts_agree_whenever_they_are_taken(customers, client):
    """At 500 requests a second, what was asked is what was served, each time."""
    for _ in range(5):
        customers.begin({"group-a": "arn:shop:1", "group-b": "arn:shop:2"})
        _come(client, 20)
        record = customers.end().record
        assert {"requests": record["requests"]} == {
            "requests": sum(record["served_by"].values())
        }


def test_task_definitions_are_named_shortly(customers, client):
    """The record names a task definition by family and revision."""
    customers.begin({"group-a": "arn:aws:ecs:x:1:task-definition/shop:1"})
    _come(client, 1)
    visits = customers.end()
    assert ["shop:1"] == list(visits.record["served_by"])
    assert {"arn:aws:ecs:x:1:task-definition/shop:1": 100.0} == visits.first_served


def test_failures_are_told_with_their_reason(customers, client, listener):
    """Who was turned away is counted, and the first of them say why."""
    customers.begin({"group-a": "shop:1"})
    listener.fails.set()
    _come(client, 3)
    record = customers.end().record
    assert 1 <= record["failed"]
    assert record["failures"][0].startswith("/: ")


def test_failures_of_one_deployment_are_not_the_nexts(customers, client, listener):
    """A deployment is not blamed for what failed before it."""
    listener.fails.set()
    _come(client, 3)
    listener.fails.clear()
    # A request that was answered came after those that were not.
    before = client.so_far()
    wait_for(lambda: _good(client) > _good_of(before) + 5)
    customers.begin({"group-a": "shop:1"})
    _come(client, 5)
    record = customers.end().record
    assert (0, []) == (record["failed"], record["failures"])


def _good_of(traffic):
    return traffic.requests - traffic.failed


def _good(client):
    return _good_of(client.so_far())


def test_customers_come_again_after_a_rest(customers, client):
    """Holding customers back for a count does not send them home."""
    customers.begin({"group-a": "shop:1"})
    customers.end()
    _come(client, 5)
    assert 5 <= client.so_far().requests
