"""Small loads on real listeners."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import zlib
from itertools import count

import pycurl
import pytest
from support.coded import raises
from support.traffic import listener_at, load, never, read, responding, serving, tool

from hookgate.context import RuleCondition
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.model import Metric
from hookgate.traffic.generator import UNFINISHED
from hookgate.traffic.in_flight import BAD_BODY, REASONS, RESENT
from hookgate.traffic.options import RequestTemplate
from hookgate.traffic.thresholds import metrics
from hookgate.version import VERSION

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_everything_is_sent_and_counted(listen):
    """Each planned request is sent once and its response is counted."""
    listener = listen(serving())
    result = tool(listener.port)(load(30), never)
    whole = result.test.total
    assert (30, 30, 0) == (whole.planned, whole.sent, whole.dropped)
    assert {200: 30} == whole.statuses
    assert 30 == whole.latencies.count == result.lateness.count
    assert 30 == len(listener.requests)


def test_identity_is_examined_first(listen):
    """What the identity proves is checked once, before the first request."""
    listener, requests = listen(serving()), []
    send = tool(listener.port, examine=lambda: requests.append(len(listener.requests)))
    send(load(5), never)
    assert ([0], 5) == (requests, len(listener.requests))


def test_warm_up_is_sent_but_not_counted(listen):
    """A warm-up reaches the listener but is not counted."""
    listener = listen(serving())
    whole = tool(listener.port)(load(10, warm=5), never).test.total
    assert (10, 10, 15) == (whole.planned, whole.samples, len(listener.requests))


def test_requests_are_marked(listen):
    """User-Agent and X-Hookgate identify the requests of a load."""
    listener = listen(serving())
    tool(listener.port, host="shop.example.com")(load(1), never)
    (request,) = listener.requests
    lines = request.decode().split("\r\n")
    assert "GET / HTTP/1.1" == lines[0]
    assert {
        "Host: shop.example.com",
        f"User-Agent: Hookgate/{VERSION} (traffic)",
        "X-Hookgate: traffic",
    } <= set(lines)


def test_mix(listen):
    """Templates are sent by weight, each with its method, headers and body."""
    listener = listen(serving())
    templates = (
        RequestTemplate(
            name="home", weight=3, headers={"X-A": "1", "User-Agent": "mine"}
        ),
        RequestTemplate(name="order", operations=(("POST", "/order"),), body=b"tea=1"),
        RequestTemplate(name="head", operations=(("HEAD", "/h"),)),
    )
    body = serving(body=b"")
    listener.script = body
    result = tool(listener.port)(load(20, templates=templates), never)
    sent = {name: each.samples for name, each in result.test.tallies.items()}
    assert {"home": 12, "order": 4, "head": 4} == sent
    orders = [each for each in listener.requests if each.startswith(b"POST /order ")]
    assert {b"tea=1"} == {each.partition(b"\r\n\r\n")[2] for each in orders}
    homes = [each for each in listener.requests if each.startswith(b"GET / ")]
    assert all(b"X-A: 1\r\n" in each and b"User-Agent: mine" in each for each in homes)


def test_operations_are_sent_in_turn(listen):
    """A template with several paths sends them one after the other."""
    listener = listen(serving())
    templates = (
        RequestTemplate(name="log", operations=(("GET", "/a"), ("GET", "/b?c=d"))),
    )
    tool(listener.port)(load(4, templates=templates, rate=20), never)
    paths = [each.split(b" ")[1] for each in listener.requests]
    assert {b"/a": 2, b"/b?c=d": 2} == {each: paths.count(each) for each in set(paths)}


def test_stall_does_not_lower_the_rate(listen):
    """While one response stalls the other requests start; the stall is measured."""
    arrived, rest = count(1), threading.Event()

    def answer(_peer, _request):
        number = next(arrived)
        if number == 1:
            rest.wait(30)  # until all others have arrived
        if number == 20:
            rest.set()
        return OK

    result = tool(listen(responding(answer)).port)(load(20, rate=100), never)
    whole = result.test.total
    assert (20, 0) == (whole.sent, whole.dropped)
    # The first request ended after the last one was due, 0.19 s later.
    assert whole.latencies.percentile(100) > 0.18


def test_dropped(listen):
    """Requests above the maximum in flight are dropped; the others time out."""
    listener = listen(lambda peer: peer.stall())
    sent = load(20, max_in_flight=2, timeout=0.3, rate=100)
    whole = tool(listener.port)(sent, never).test.total
    assert (20, 2, 18) == (whole.planned, whole.sent, whole.dropped)
    assert {REASONS[pycurl.E_OPERATION_TIMEDOUT]: 2} == whole.errors
    assert whole.latencies.percentile(50) >= 0.29


def test_deadline(listen):
    """A server that never responds does not prolong a load beyond its deadline."""
    listener = listen(lambda peer: peer.stall())
    send = tool(listener.port, seconds=0.4)
    whole = send(load(5, timeout=300), never).test.total
    assert {UNFINISHED: 5} == whole.errors


def test_identity(listen):
    """Responses of another version are counted by version."""
    numbers = count()

    def answer(_peer, _request):
        version = "v1" if next(numbers) % 4 == 0 else "v2"
        head = f"X-App-Version: {version}\r\nContent-Length: 0"
        return f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode()

    send = tool(listen(responding(answer)).port, identity=("X-App-Version", "v2"))
    whole = send(load(20), never).test.total
    assert {"'v1'": 5} == whole.unidentified_responses
    assert 20 == whole.samples


def test_baseline(listen):
    """Production gets each request too; its responses are counted separately."""
    test, production = listen(serving("X-V: 2")), listen(serving("X-V: 1"))
    send = tool(test.port, production.port, identity=("X-V", "2"))
    result = send(load(10, baseline=True), never)
    assert (10, 10) == (len(test.requests), len(production.requests))
    assert result.production
    assert (10, 0) == (
        result.production.total.samples,
        result.production.total.unidentified_responses.total(),
    )


def test_baseline_that_is_green(listen):
    """Responses of the replacement on the production listener are detected."""
    listener = listen(serving("X-V: 2"))
    send = tool(listener.port, listener.port, identity=("X-V", "2"))
    result = send(load(10, baseline=True), never)
    assert result.production
    assert {"2": 10} == result.production.total.unidentified_responses


def test_no_load_on_production_without_baseline(listen):
    """Without a relative threshold, production gets no request."""
    test, production = listen(serving()), listen(serving())
    result = tool(test.port, production.port)(load(5), never)
    assert result.production is None
    assert [] == production.requests


@pytest.mark.parametrize(
    ("test", "production"), [("no test listener", ""), (None, "no production")]
)
def test_no_listener(listen, test, production):
    """Without a listener, nothing is measured."""
    send = tool(test or listen(serving()).port, production)
    with raises(CannotMeasure, "HG-HTTP-NO-LISTENER", test or production):
        send(load(5, baseline=True), never)


def test_redirects_are_not_followed(listen):
    """A response cannot redirect the load."""
    other = listen(serving())
    where = f"Location: http://127.0.0.1:{other.port}/"
    listener = listen(serving(where, status="302 Found"))
    whole = tool(listener.port)(load(5), never).test.total
    assert ({302: 5}, []) == (whole.statuses, other.requests)


def test_proxies_are_not_used(listen, monkeypatch):
    """Proxies that the environment names are not used."""
    proxy, listener = listen(serving()), listen(serving())
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
    tool(listener.port)(load(3), never)
    assert (3, []) == (len(listener.requests), proxy.requests)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(
            responding(lambda _peer, _request: b""),
            REASONS[pycurl.E_GOT_NOTHING],
            id="closed",
        ),
        pytest.param(
            responding(lambda peer, _: peer.send(OK[:-1]) or b""),
            REASONS[pycurl.E_PARTIAL_FILE],
            id="cut off",
        ),
        pytest.param(
            responding(lambda _peer, _request: b"SMTP ready\r\n\r\n"),
            "curl error 1: Received HTTP/0.9 when not allowed",
            id="no HTTP",
        ),
    ],
)
def test_errors(listen, script, reason):
    """A request without a response is an error with its reason."""
    whole = tool(listen(script).port)(load(3), never).test.total
    assert (3, 3) == (whole.failed, whole.samples)
    assert {reason} == set(whole.errors)


def test_refused(listen):
    """If nothing listens, every request is an error and has no latency."""
    listener = listen(serving())
    listener.close()
    whole = tool(listener.port)(load(3), never).test.total
    assert {REASONS[pycurl.E_COULDNT_CONNECT]: 3} == whole.errors
    assert 0 == whole.latencies.count


@pytest.mark.parametrize(
    ("keep_alive", "most"), [(True, 4), (False, 20)], ids=["kept", "closed"]
)
def test_connections(listen, keep_alive, most):
    """Connections are reused, unless the plan sets ``keep_alive: false``."""
    listener = listen(serving())
    sent = load(20, keep_alive=keep_alive, max_in_flight=4, rate=100)
    whole = tool(listener.port)(sent, never).test.total
    connections = len(listener.threads) - 1  # one thread accepts
    assert connections <= most
    assert keep_alive or connections == whole.sent


def test_large_answers(listen):
    """Responses larger than any buffer are read to their end."""
    listener = listen(serving(body=bytes(3_000_000)))
    whole = tool(listener.port)(load(6, rate=20), never).test.total
    assert {200: 6} == whole.statuses


def test_stop_condition(listen):
    """When the outcome is certain, no more requests are sent."""
    listener = listen(serving())
    result = tool(listener.port)(load(2000, rate=50), lambda _result: True)
    assert result.stopped
    assert result.test.total.sent < 200


@pytest.mark.parametrize(
    ("address", "error", "code"),
    [
        pytest.param("169.254.169.254", CannotMeasure, "HG-ADDRESS", id="metadata"),
        pytest.param("no.such.invalid", NoAnswer, "HG-DNS-RESOLVE", id="unknown"),
    ],
)
def test_address(address, error, code):
    """A load does not connect to a forbidden or unknown address."""

    def resolver(_host, _port):
        return ()

    send = tool(listener_at(80, address=address), resolver=resolver)
    with raises(error, code, address):
        send(load(1), never)


def test_name_resolves_once(listen):
    """Every request goes to an address that the name resolved to at the start."""
    listener, resolved = listen(serving()), []

    def resolver(host, _port):
        resolved.append(host)
        return ("127.0.0.1",)

    endpoint = listener_at(listener.port, address="lb.example")
    tool(endpoint, resolver=resolver)(load(5, keep_alive=False), never)
    assert (["lb.example"], 5) == (resolved, len(listener.requests))


def test_another_rule_would_match(listen):
    """A request that the listener's rule does not match is not sent."""
    listener = listen(serving())
    rule = RuleCondition(field="path-pattern", values=("/shop/*",))
    send = tool(listener_at(listener.port, conditions=(rule,)))
    with raises(CannotMeasure, "HG-HTTP-RULE"):
        send(load(1), never)
    assert [] == listener.requests


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "\u0100"])
def test_header_that_cannot_be_sent(listen, value):
    """A header with a line break would be two, so it is refused."""
    templates = (RequestTemplate(name="a", headers={"X-A": value}),)
    with raises(CannotMeasure, "HG-HTTP-REQUEST", "X-A"):
        tool(listen(serving()).port)(load(1, templates=templates), never)


def losing(every: int, end):
    """A server that closes the connection on every n-th request."""
    arrived = count(1)

    def answer(peer, _request):
        if next(arrived) % every:
            return OK
        end(peer)
        return b""

    return responding(answer)


def resets(peer) -> None:
    linger = struct.pack("ii", 1, 0)
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


@pytest.mark.parametrize("end", [resets, lambda peer: None], ids=["reset", "closed"])
@pytest.mark.parametrize("host", [None, f"{'a' * 63}.eu-west-1.elb.amazonaws.com"])
@pytest.mark.parametrize("body", [None, b"x" * 2000], ids=["no body", "body"])
def test_lost_request_is_an_error(listen, end, host, body):
    """A request that libcurl retries on another connection is an error."""
    listener = listen(losing(10, end))
    method = "POST" if body else "GET"
    template = RequestTemplate(name="a", operations=((method, "/"),), body=body)
    sent = load(40, rate=100, max_in_flight=1, templates=(template,))
    whole = tool(listener.port, host=host)(sent, never).test.total
    # Every tenth that arrives is lost; the first of a connection is not sent again.
    assert len(listener.requests) == whole.samples + whole.errors[RESENT]
    assert whole.errors[RESENT] == whole.failed == len(listener.requests) // 10 > 0


@pytest.mark.parametrize(
    ("rate", "header"),
    [(0.8, "X-A: b"), (20, "Connection: close")],
    ids=["idle for more than a second", "announced"],
)
def test_closed_between_requests_is_no_error(listen, rate, header):
    """A server may close a connection that is idle or that it announced to close."""

    def close(peer):
        read(peer)
        peer.send(f"HTTP/1.1 200 OK\r\n{header}\r\nContent-Length: 0\r\n\r\n".encode())

    listener = listen(close)
    sent = load(3, rate=rate, max_in_flight=1)
    whole = tool(listener.port)(sent, never).test.total
    assert ({200: 3}, 0, 3) == (whole.statuses, whole.failed, len(listener.requests))


GZIP = gzip.compress(b"tea" * 1000)


@pytest.mark.parametrize("identity", [None, ("X-V", "2")], ids=["unproven", "proven"])
@pytest.mark.parametrize(
    ("encoding", "body", "error"),
    [
        pytest.param("gzip", GZIP, None, id="complete"),
        pytest.param("deflate", zlib.compress(b"tea"), None, id="deflate"),
        pytest.param("gzip", GZIP[:-12], "it is truncated", id="truncated"),
        pytest.param("deflate", GZIP, "Error -3 ", id="gzip as deflate"),
        pytest.param("zstd", b"tea", "'zstd' is not supported", id="zstd"),
    ],
)
def test_encoded_body(listen, identity, encoding, body, error):
    """A body that is truncated or does not match its Content-Encoding is an error."""
    listener = listen(serving(f"Content-Encoding: {encoding}", "X-V: 2", body=body))
    whole = tool(listener.port, identity=identity)(load(20), never).test.total
    if error is None:
        assert ({200: 20}, 0) == (whole.statuses, whole.failed)
        return
    (reason,) = whole.errors
    assert f"{BAD_BODY}: {error}" in reason
    assert (20, 20) == (whole.errors[reason], whole.failed)


def test_encoding_of_each_url_is_checked(listen):
    """A URL without an encoding does not disable the check of another one."""

    def answer(_peer, request):
        if request.startswith(b"GET /plain "):
            return OK
        head = f"Content-Encoding: gzip\r\nContent-Length: {len(GZIP) - 12}"
        return f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + GZIP[:-12]

    templates = (
        RequestTemplate(name="log", operations=(("GET", "/plain"), ("GET", "/packed"))),
    )
    listener = listen(responding(answer))
    whole = tool(listener.port)(load(20, templates=templates), never).test.total
    assert ({200: 10}, 10) == (whole.statuses, whole.failed)


def test_encoding_is_checked_after_an_error(listen):
    """An error without an encoding does not disable the check of later responses."""
    sent = []

    def answer(_peer, request):
        sent.append(request)
        if len(sent) == 1:
            return b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n"
        head = f"Content-Encoding: gzip\r\nContent-Length: {len(GZIP) - 12}"
        return f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + GZIP[:-12]

    whole = tool(listen(responding(answer)).port)(
        load(20, max_in_flight=1), never
    ).test.total
    assert {503: 1} == whole.statuses
    assert whole.errors.total() == whole.samples - 1 > 1


@pytest.mark.parametrize(
    ("head", "who"),
    [
        pytest.param("HTTP/1.1 200 OK\r\nX-V: 2\r\n{}", {}, id="once"),
        pytest.param(
            "HTTP/1.1 200 OK\r\nX-V: 1\r\nX-V: 2\r\n{}", {"'1', '2'": 5}, id="twice"
        ),
        pytest.param(
            "HTTP/1.1 103 Early Hints\r\nX-V: 2\r\n\r\nHTTP/1.1 200 OK\r\n{}",
            {"an unidentified server (no header X-V)": 5},
            id="in a 103",
        ),
        pytest.param(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-V: 2\r\n\r\n",
            {"an unidentified server (no header X-V)": 5},
            id="in a trailer",
        ),
    ],
)
def test_what_identifies(listen, head, who):
    """One identity header in the head of the final response, and nothing else."""
    response = head.format("Content-Length: 0\r\n\r\n").encode()
    listener = listen(responding(lambda _peer, _request: response))
    send = tool(listener.port, identity=("X-V", "2"))
    assert who == send(load(5), never).test.total.unidentified_responses


@pytest.mark.parametrize("status", ["999 Odd", "304 Not Modified", "302 Found"])
def test_only_success_is_no_error(listen, status):
    """By default all statuses but 2xx are errors, each counted once."""
    listener = listen(serving("Location: /login", status=status, body=b""))
    whole = tool(listener.port)(load(15), never).test.total
    assert (15, 15) == (whole.failed, whole.samples)
    assert Metric("ErrorRate", 100, "Percent") in metrics(whole)
