"""Loads of real listeners, small and short."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import zlib
from itertools import count

import pytest
from support.traffic import answering, load, never, read, serving, target, tool

from hookgate.context import RuleCondition
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.traffic.options import Shot
from hookgate.traffic.terms import metrics
from hookgate.version import VERSION

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_everything_is_sent_and_counted(listen):
    """Each planned request is sent once and its answer counted."""
    listener = listen(serving())
    result = tool(target(listener.port))(load(30), never)
    whole = result.test.whole
    assert (30, 30, 0) == (whole.planned, whole.sent, whole.dropped)
    assert {200: 30} == whole.statuses
    assert 30 == whole.latencies.count == result.lateness.count
    assert 30 == len(listener.requests)


def test_warm_up_is_sent_but_not_counted(listen):
    """A warm-up reaches the listener and appears in no number."""
    listener = listen(serving())
    whole = tool(target(listener.port))(load(10, warm=5), never).test.whole
    assert (10, 10, 15) == (whole.planned, whole.samples, len(listener.requests))


def test_requests_say_who_sends_them(listen):
    """A service can tell the gate's requests by two headers of our own."""
    listener = listen(serving())
    asked = target(listener.port, host="shop.example.com")
    tool(asked)(load(1), never)
    (request,) = listener.requests
    lines = request.decode().split("\r\n")
    assert "GET / HTTP/1.1" == lines[0]
    assert {
        "Host: shop.example.com",
        f"User-Agent: Hookgate/{VERSION} (traffic)",
        "X-Hookgate: traffic",
    } <= set(lines)


def test_mix(listen):
    """Kinds are sent as their weights say, each with its method, headers and body."""
    listener = listen(serving())
    shots = (
        Shot(name="home", weight=3, headers={"X-A": "1", "User-Agent": "mine"}),
        Shot(name="order", asks=(("POST", "/order"),), body=b"tea=1"),
        Shot(name="head", asks=(("HEAD", "/h"),)),
    )
    body = serving(body=b"")
    listener.script = body
    result = tool(target(listener.port))(load(20, shots=shots), never)
    sent = {name: each.samples for name, each in result.test.tallies.items()}
    assert {"home": 12, "order": 4, "head": 4} == sent
    orders = [each for each in listener.requests if each.startswith(b"POST /order ")]
    assert {b"tea=1"} == {each.partition(b"\r\n\r\n")[2] for each in orders}
    homes = [each for each in listener.requests if each.startswith(b"GET / ")]
    assert all(b"X-A: 1\r\n" in each and b"User-Agent: mine" in each for each in homes)


def test_asks_are_taken_in_turn(listen):
    """A kind with several paths asks for one after the other."""
    listener = listen(serving())
    shots = (Shot(name="log", asks=(("GET", "/a"), ("GET", "/b?c=d"))),)
    tool(target(listener.port))(load(4, shots=shots, rate=20), never)
    paths = [each.split(b" ")[1] for each in listener.requests]
    assert {b"/a": 2, b"/b?c=d": 2} == {each: paths.count(each) for each in set(paths)}


def test_stall_does_not_lower_the_rate(listen):
    """While one answer stalls the others are asked for, and the stall is measured."""
    arrived, rest = count(1), threading.Event()

    def answer(_peer, _request):
        number = next(arrived)
        if number == 1:
            rest.wait(30)  # until all others have come
        if number == 20:
            rest.set()
        return OK

    result = tool(target(listen(answering(answer)).port))(load(20, rate=100), never)
    whole = result.test.whole
    assert (20, 0) == (whole.sent, whole.dropped)
    # Due first, it was answered after the last was due, 19 hundredths later.
    assert whole.latencies.percentile(100) > 0.18


def test_dropped(listen):
    """What cannot be started in time is dropped and counted; the rest times out."""
    listener = listen(lambda peer: peer.stall())
    sent = load(20, max_in_flight=2, timeout=0.3, rate=100)
    whole = tool(target(listener.port))(sent, never).test.whole
    assert (20, 2, 18) == (whole.planned, whole.sent, whole.dropped)
    assert {"timed out": 2} == whole.errors
    assert whole.latencies.percentile(50) >= 0.29


def test_deadline(listen):
    """A server that never answers does not keep a load beyond its deadline."""
    listener = listen(lambda peer: peer.stall())
    asked = tool(target(listener.port), seconds=0.4)
    whole = asked(load(5, timeout=300), never).test.whole
    assert {"still under way when the time was over": 5} == whole.errors


def test_identity(listen):
    """Answers of another version are counted by who gave them."""
    numbers = count()

    def answer(_peer, _request):
        version = "v1" if next(numbers) % 4 == 0 else "v2"
        said = (
            f"HTTP/1.1 200 OK\r\nX-App-Version: {version}\r\nContent-Length: 0\r\n\r\n"
        )
        return said.encode()

    asked = target(listen(answering(answer)).port, identity=("X-App-Version", "v2"))
    whole = tool(asked)(load(20), never).test.whole
    assert {"'v1'": 5} == whole.strangers
    assert 20 == whole.samples


def test_yardstick(listen):
    """Production gets each request too, and answers there are counted apart."""
    test, production = listen(serving("X-V: 2")), listen(serving("X-V: 1"))
    identity = ("X-V", "2")
    asked = tool(
        target(test.port, identity=identity), target(production.port, identity=identity)
    )
    result = asked(load(10, yardstick=True), never)
    assert (10, 10) == (len(test.requests), len(production.requests))
    assert result.production
    assert (10, 0) == (
        result.production.whole.samples,
        result.production.whole.strangers.total(),
    )


def test_yardstick_that_is_green(listen):
    """A production listener that answers as the replacement is found out."""
    listener = listen(serving("X-V: 2"))
    asked = target(listener.port, identity=("X-V", "2"))
    result = tool(asked, asked)(load(10, yardstick=True), never)
    assert result.production
    assert {"2": 10} == result.production.whole.strangers


def test_no_yardstick_is_asked_unless_wanted(listen):
    """Without a threshold relative to blue, production gets nothing."""
    test, production = listen(serving()), listen(serving())
    result = tool(target(test.port), target(production.port))(load(5), never)
    assert result.production is None
    assert [] == production.requests


@pytest.mark.parametrize(
    ("test", "production"), [("no test listener", ""), (None, "no production")]
)
def test_no_listener(listen, test, production):
    """Where there is no listener to load, nothing is measured."""
    asked = tool(test or target(listen(serving()).port), production)
    with pytest.raises(CannotMeasure, match=test or production):
        asked(load(5, yardstick=True), never)


def test_redirects_are_not_followed(listen):
    """An answer cannot send the load elsewhere."""
    other = listen(serving())
    where = f"Location: http://127.0.0.1:{other.port}/"
    listener = listen(serving(where, status="302 Found"))
    whole = tool(target(listener.port))(load(5), never).test.whole
    assert ({302: 5}, []) == (whole.statuses, other.requests)


def test_proxies_are_not_asked(listen, monkeypatch):
    """What the environment says of proxies does not lead a load elsewhere."""
    proxy, listener = listen(serving()), listen(serving())
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
    tool(target(listener.port))(load(3), never)
    assert (3, []) == (len(listener.requests), proxy.requests)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        pytest.param(
            answering(lambda _peer, _request: b""),
            "closed without an answer",
            id="closes",
        ),
        pytest.param(
            answering(lambda peer, _: peer.send(OK[:-1]) or b""),
            "the answer broke off",
            id="breaks off",
        ),
        pytest.param(
            answering(lambda _peer, _request: b"SMTP ready\r\n\r\n"),
            "curl error 1: Received HTTP/0.9 when not allowed",
            id="no HTTP",
        ),
    ],
)
def test_errors(listen, script, error):
    """A request without an answer is an error with its reason."""
    whole = tool(target(listen(script).port))(load(3), never).test.whole
    assert (3, 3) == (whole.failed, whole.samples)
    assert {error} == set(whole.errors)


def test_refused(listen):
    """Where nothing listens, every request is an error and none has a latency."""
    listener = listen(serving())
    listener.close()
    whole = tool(target(listener.port))(load(3), never).test.whole
    assert {"no connection: refused or unreachable": 3} == whole.errors
    assert 0 == whole.latencies.count


@pytest.mark.parametrize(
    ("keep_alive", "most"), [(True, 4), (False, 20)], ids=["kept", "closed"]
)
def test_connections(listen, keep_alive, most):
    """Connections are used again, unless the plan says otherwise."""
    listener = listen(serving())
    asked = load(20, keep_alive=keep_alive, max_in_flight=4, rate=100)
    whole = tool(target(listener.port))(asked, never).test.whole
    connections = len(listener.threads) - 1  # one thread accepts
    assert connections <= most
    assert keep_alive or connections == whole.sent


def test_large_answers(listen):
    """Answers larger than any buffer come to their end."""
    listener = listen(serving(body=bytes(3_000_000)))
    whole = tool(target(listener.port))(load(6, rate=20), never).test.whole
    assert {200: 6} == whole.statuses


def test_settled(listen):
    """When the outcome is certain, no more is sent."""
    listener = listen(serving())
    result = tool(target(listener.port))(load(2000, rate=50), lambda _result: True)
    assert result.stopped
    assert result.test.whole.sent < 200


@pytest.mark.parametrize(
    ("address", "error"),
    [
        pytest.param("169.254.169.254", CannotMeasure, id="metadata"),
        pytest.param("no.such.invalid", NoAnswer, id="unknown"),
    ],
)
def test_address(address, error):
    """Where a gate never connects to, no load goes either."""

    def resolver(_host, _port):
        return ()

    asked = target(80, endpoint={"address": address}, resolver=resolver)
    with pytest.raises(error, match=address):
        tool(asked)(load(1), never)


def test_name_resolves_once(listen):
    """Every request goes to an address that the name led to at the beginning."""
    listener, asked = listen(serving()), []

    def resolver(host, _port):
        asked.append(host)
        return ("127.0.0.1",)

    endpoint = {"address": "lb.example"}
    sent = load(5, keep_alive=False)
    tool(target(listener.port, endpoint=endpoint, resolver=resolver))(sent, never)
    assert (["lb.example"], 5) == (asked, len(listener.requests))


def test_another_rule_would_take_it(listen):
    """A request that would not meet the listener's rule is not sent."""
    listener = listen(serving())
    rule = RuleCondition(field="path-pattern", values=("/shop/*",))
    asked = target(listener.port, endpoint={"conditions": (rule,)})
    with pytest.raises(CannotMeasure, match="another rule would take it"):
        tool(asked)(load(1), never)
    assert [] == listener.requests


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "\u0100"])
def test_header_that_cannot_be_sent(listen, value):
    """A header with a line break would be two, so it is refused."""
    shots = (Shot(name="a", headers={"X-A": value}),)
    with pytest.raises(CannotMeasure, match="cannot be sent: the value of header X-A"):
        tool(target(listen(serving()).port))(load(1, shots=shots), never)


def losing(every: int, end):
    """A server that ends a connection instead of answering each such request."""
    arrived = count(1)

    def answer(peer, _request):
        if next(arrived) % every:
            return OK
        end(peer)
        return b""

    return answering(answer)


def resets(peer) -> None:
    linger = struct.pack("ii", 1, 0)
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


LOST = "the connection was lost before an answer, and the request sent again"


@pytest.mark.parametrize("end", [resets, lambda peer: None], ids=["reset", "closed"])
def test_lost_request_is_an_error(listen, end):
    """A request that libcurl has to send again on another connection is an error."""
    listener = listen(losing(10, end))
    asked = load(40, rate=100, max_in_flight=1)
    whole = tool(target(listener.port))(asked, never).test.whole
    # Every tenth that arrives is lost; the first of a connection is not sent again.
    assert len(listener.requests) == whole.samples + whole.errors[LOST]
    assert whole.errors[LOST] == whole.failed == len(listener.requests) // 10 > 2


@pytest.mark.parametrize(
    ("rate", "header"),
    [(0.8, "X-A: b"), (20, "Connection: close")],
    ids=["idle for more than a second", "said beforehand"],
)
def test_closed_between_requests_is_no_error(listen, rate, header):
    """A server may close a connection that is idle, or that it said it would close."""

    def close(peer):
        read(peer)
        peer.send(f"HTTP/1.1 200 OK\r\n{header}\r\nContent-Length: 0\r\n\r\n".encode())

    listener = listen(close)
    asked = load(3, rate=rate, max_in_flight=1)
    whole = tool(target(listener.port))(asked, never).test.whole
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
    """Every body is what its Content-Encoding says, and complete, or it is an error."""
    listener = listen(serving(f"Content-Encoding: {encoding}", "X-V: 2", body=body))
    whole = tool(target(listener.port, identity=identity))(load(20), never).test.whole
    if error is None:
        assert ({200: 20}, 0) == (whole.statuses, whole.failed)
        return
    (reason,) = whole.errors
    assert f"the body is not what its Content-Encoding says: {error}" in reason
    assert (20, 20) == (whole.errors[reason], whole.failed)


def test_encoding_of_each_url_is_looked_at(listen):
    """A URL without an encoding does not keep another one from being checked."""

    def answer(_peer, request):
        if request.startswith(b"GET /plain "):
            return OK
        head = f"Content-Encoding: gzip\r\nContent-Length: {len(GZIP) - 12}"
        return f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + GZIP[:-12]

    shots = (Shot(name="log", asks=(("GET", "/plain"), ("GET", "/packed"))),)
    listener = listen(answering(answer))
    whole = tool(target(listener.port))(load(20, shots=shots), never).test.whole
    assert ({200: 10}, 10) == (whole.statuses, whole.failed)


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
    said = head.format("Content-Length: 0\r\n\r\n").encode()
    listener = listen(answering(lambda _peer, _request: said))
    asked = target(listener.port, identity=("X-V", "2"))
    assert who == tool(asked)(load(5), never).test.whole.strangers


@pytest.mark.parametrize("status", ["999 Odd", "304 Not Modified", "302 Found"])
def test_only_success_is_no_error(listen, status):
    """Without other statuses in the plan all but 2xx are errors, each counted once."""
    listener = listen(serving("Location: /login", status=status, body=b""))
    whole = tool(target(listener.port))(load(15), never).test.whole
    assert (15, 15) == (whole.failed, whole.samples)
    assert 100 == metrics(whole)["ErrorRate"]
