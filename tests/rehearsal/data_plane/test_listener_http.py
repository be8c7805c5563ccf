"""Requests and answers, carried through a listener."""

import hashlib
import json
import threading

import pytest
from support.data_plane import (
    TIMEOUT,
    closed_target,
    connect,
    eventually,
    get,
    group,
    listener,
    raw,
    reset,
    scripted,
    serve,
)

from hookgate_rehearsal.data_plane.settings import FixedResponse, Redirect

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
ASK = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"


def answering(*answers):
    """A script that answers a connection's requests in turn, then closes it."""

    def script(visitor):
        for answer in answers:
            if not visitor.head():
                return
            visitor.send(answer)

    return script


def always(answer):
    """A script that gives every request of a connection the same answer."""

    def script(visitor):
        while visitor.head():
            visitor.send(answer)

    return script


def test_headers_for_the_target(plane, echo):
    """The target gets the client's address, but no connection header."""
    port = serve(plane, echo().target)
    answer = raw(
        port,
        b"GET / HTTP/1.1\r\nHost: shop.example\r\nX-Mine: 1\r\nConnection: close, x-hop"
        b"\r\nX-Hop: 1\r\nX-Forwarded-For: 10.0.0.1\r\nTE: trailers\r\n\r\n",
    )
    text = json.loads(answer.partition(b"\r\n\r\n")[2])["headers"]
    trace = text.pop()

    assert [
        ["Host", "shop.example"],
        ["X-Mine", "1"],
        ["X-Forwarded-For", "10.0.0.1, 127.0.0.1"],
        ["X-Forwarded-Proto", "http"],
        ["X-Forwarded-Port", str(port)],
    ] == text
    assert trace[0] == "X-Amzn-Trace-Id"
    assert trace[1].startswith("Root=1-")


def test_big_bodies(plane):
    """Megabytes go both ways, whole, at the pace of the slower side."""
    up, down = b"up" * 4_000_000, b"down" * 2_000_000
    digests = []

    def script(visitor):
        if visitor.head():
            body = visitor.file.read(len(up))
            digests.append(hashlib.sha256(body).digest())
            visitor.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n" + down)

    with scripted(script) as target:
        port = serve(plane, target)
        _, body = get(port, "/", "POST", up)

    assert (True, [hashlib.sha256(up).digest()]) == (down == body, digests)


def test_slow_client(plane):
    """A client that does not read slows the target down instead of filling memory."""
    sent = []
    chunk = b"x" * 65536

    def script(visitor):
        visitor.head()
        visitor.send(b"HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n")
        visitor.sock.settimeout(0.3)
        try:
            for _ in range(1024):
                visitor.sock.sendall(chunk)
                sent.append(len(chunk))
        except TimeoutError:
            sent.append(-1)

    with scripted(script) as target, connect(serve(plane, target)) as client:
        client.sendall(ASK)
        eventually(lambda: sent and (sent[-1] == -1 or len(sent) == 1024))

    assert -1 == sent[-1]


def test_chunked_request(plane):
    """A chunked body reaches the target chunked, without its trailers."""
    seen = []

    def script(visitor):
        if visitor.head():
            seen.append(visitor.file.read(len(b"5\r\nhello\r\n0\r\n\r\n")))
            visitor.send(OK)

    with scripted(script) as target:
        raw(
            serve(plane, target),
            b"POST / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
            b"5;ext=1\r\nhello\r\n0\r\nX-T: 1\r\n\r\n",
        )

    assert [b"5\r\nhello\r\n0\r\n\r\n"] == seen


@pytest.mark.parametrize(
    ("request_", "answer", "expected"),
    [
        pytest.param(
            LAST,
            CHUNKED + b"\r\n2\r\nok\r\n0\r\n\r\n",
            CHUNKED + b"Connection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            id="chunked",
        ),
        pytest.param(
            b"GET / HTTP/1.0\r\n\r\n",
            CHUNKED + b"\r\n2\r\nok\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok",
            id="chunked, to HTTP/1.0",
        ),
        pytest.param(
            LAST,
            b"HTTP/1.0 200 OK\r\n\r\nok",
            CHUNKED + b"Connection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            id="until closed",
        ),
        pytest.param(
            LAST.replace(b"GET", b"HEAD"),
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n",
            id="HEAD",
        ),
        pytest.param(
            LAST,
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
            id="204",
        ),
        pytest.param(
            LAST,
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n",
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\nConnection: close\r\n"
            b"\r\n",
            id="304",
        ),
        pytest.param(
            LAST,
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK,
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
            id="informational",
        ),
        pytest.param(
            LAST,
            b"HTTP/1.1 200 Fine\r\nKeep-Alive: 5\r\nConnection: keep-alive, x-hop\r\n"
            b"X-Hop: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 200 Fine\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"
            b"Content-Length: 0\r\nConnection: close\r\n\r\n",
            id="headers",
        ),
    ],
)
def test_answer(plane, request_, answer, expected):
    """An answer reaches the client framed so that it can tell where it ends."""
    with scripted(always_closing(answer)) as target:
        assert expected == raw(serve(plane, target), request_)


def always_closing(answer):
    """A script that answers once and closes, or stays open where it may."""
    return answering(answer) if b"1.0 200" in answer else always(answer)


def test_kept_alive(plane):
    """The client's connection and the target's are used again, HEAD included."""
    numbers = set()

    def script(visitor):
        while head := visitor.head():
            numbers.add(visitor.number)
            body = b"" if head.startswith(b"HEAD") else b"ok"
            visitor.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + body)

    with scripted(script) as target:
        port = serve(plane, target)
        answer = raw(port, ASK + ASK.replace(b"GET", b"HEAD") + ASK + LAST)

    assert (4, 3, 1) == (answer.count(b"200 OK"), answer.count(b"ok"), len(numbers))


def test_http_1_0_kept_alive(plane, echo):
    """A client of HTTP/1.0 may keep its connection, and gets Connection: keep-alive."""
    port = serve(plane, echo().target)
    answer = raw(
        port,
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    )

    assert (2, 1, 1) == (
        answer.count(b"200 OK"),
        answer.count(b"Connection: keep-alive"),
        answer.count(b"Connection: close"),
    )


def test_pipelined(plane, echo):
    """Requests sent at once are answered in order."""
    port = serve(plane, echo().target)
    asked = b"".join(ASK.replace(b"/ ", b"/%d " % n) for n in range(50))
    answer = raw(port, asked + LAST)

    at = [answer.index(b'"path": "/%d"' % number) for number in range(50)]
    assert sorted(at) == at


def test_half_closed(plane, echo):
    """A client that has closed its side still gets a response."""
    port = serve(plane, echo().target)

    assert b"200 OK" in raw(port, ASK, half_close=True)


def test_stale_connection(plane, records):
    """A kept connection that the target closes at the next request costs no request."""
    with scripted(_once) as target:
        port = serve(plane, target)
        statuses = [get(port)[0].status for _ in range(20)]

    assert {200} == set(statuses)
    assert {None} == {record.error for record in records}


def _once(visitor):
    """Answer one request, then close at the next one without a word."""
    visitor.head()
    visitor.send(OK)
    visitor.head()


def test_post_is_never_repeated(plane):
    """A request that may not be repeated goes over a fresh connection."""
    asked = []

    def script(visitor):
        while head := visitor.head():
            asked.append((head[:4], visitor.number))
            visitor.send(OK)

    with scripted(script) as target:
        port = serve(plane, target)
        for method in ("GET", "POST", "GET", "POST"):
            assert 200 == get(port, method=method)[0].status
    posts = [number for head, number in asked if head == b"POST"]

    assert (2, 2) == (len(posts), len(set(posts)))


def test_refused(plane, records):
    """A target that refuses the connection is a 502."""
    port = serve(plane, closed_target())

    assert 502 == get(port)[0].status
    assert "refused the connection" in records[0].error


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(lambda visitor: visitor.head(), "was closed", id="closed"),
        pytest.param(
            lambda visitor: (visitor.head(), visitor.reset()), "was reset", id="reset"
        ),
        pytest.param(always(b"SSH-2.0-nope\r\n"), "not HTTP", id="not HTTP"),
        pytest.param(
            always(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000),
            "headers exceed",
            id="endless headers",
        ),
        pytest.param(
            always(
                b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"
            ),
            "not HTTP",
            id="two lengths",
        ),
    ],
)
def test_bad_target(plane, records, script, reason):
    """A target that does not answer properly is a 502, and the log says why."""
    with scripted(script) as target:
        answer, body = get(serve(plane, target))

    assert (502, "awselb/2.0", True) == (
        answer.status,
        answer.headers["Server"],
        b"<h1>502 Bad Gateway</h1>" in body,
    )
    assert reason in records[0].error


def test_silent_target(plane, records):
    """A target that does not answer within the idle timeout is a 504."""
    with scripted(lambda visitor: visitor.until_gone()) as target:
        port = serve(plane, target, idle_timeout=0.2)

        assert 504 == get(port)[0].status
    assert "idle timeout: the target" in records[0].error


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(b"Content-Length: 100\r\n\r\nsome", id="by length"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n", id="chunked"),
    ],
)
def test_truncated_answer(plane, records, part):
    """An answer that breaks off is not made to look complete."""
    with scripted(answering(b"HTTP/1.1 200 OK\r\n" + part)) as target:
        port = serve(plane, target)
        with connect(port) as client:
            client.sendall(ASK)
            out = b""
            try:
                while piece := client.recv(65536):
                    out += piece
            except ConnectionResetError:
                pass
    eventually(lambda: records)

    assert (False, 200, "the connection was closed by the target") == (
        out.endswith(b"0\r\n\r\n"),
        records[0].target_status,
        records[0].error,
    )


def test_client_gone(plane, echo, records):
    """A client that goes before its answer is logged as ALB does."""
    target = echo()
    target.gate.clear()
    port = serve(plane, target.target)
    with connect(port) as client:
        client.sendall(ASK.replace(b"/ ", b"/wait "))
        eventually(lambda: plane.in_flight("group", target.target))
        reset(client)
    eventually(lambda: records)

    assert (460, "the client closed the connection", 0) == (
        records[0].status,
        records[0].error,
        plane.in_flight("group", target.target),
    )


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(b"nonsense\r\n\r\n", 400, id="no request"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, id="hosts"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 200_000, 400, id="endless"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            id="two framings",
        ),
        pytest.param(b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, id="TRACE"),
        pytest.param(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400, id="CONNECT"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
            b"Content-Length: 3\r\n\r\nabc",
            501,
            id="upgrade with a body",
        ),
    ],
)
def test_bad_request(plane, echo, data, status):
    """What is no proper request is refused, and the connection closed."""
    target = echo()
    answer = raw(serve(plane, target.target), data)

    assert (b"HTTP/1.1 %d " % status, True, False) == (
        answer[:13],
        b"Connection: close" in answer,
        "/" in target.asked,
    )


def test_bad_request_behind_a_good_one(plane, echo):
    """Requests before a bad one get their responses first."""
    answer = raw(serve(plane, echo().target), ASK + b"nonsense\r\n\r\n")

    assert answer.index(b"200 OK") < answer.index(b"400 Bad Request")


def test_behind_a_refused_request(plane, echo):
    """What comes behind a refused request is not answered."""
    answer = raw(serve(plane, echo().target), b"GET / HTTP/1.1\r\n\r\n" + ASK + ASK)

    assert (1, 0) == (answer.count(b"HTTP/1.1 400"), answer.count(b"200 OK"))


def test_behind_the_last_request(plane, echo):
    """What comes behind a request that is to be the last is not answered."""
    answer = raw(serve(plane, echo().target), LAST + ASK)

    assert 1 == answer.count(b"200 OK")


def test_half_a_body(plane, records):
    """A client that goes in the middle of its request leaves no target waiting."""
    post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc"
    with scripted(lambda visitor: visitor.until_gone()) as target:
        assert b"" == raw(serve(plane, target), post, half_close=True)
        eventually(lambda: records)

    assert 460 == records[0].status


def test_bad_body(plane, records):
    """A body that breaks its framing is a 400, and the target is left."""
    with (
        scripted(lambda visitor: visitor.until_gone()) as target,
        connect(serve(plane, target)) as client,
    ):
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        eventually(lambda: plane.in_flight("group", target))
        client.sendall(b"what?\r\n")

        assert b"HTTP/1.1 400 Bad Request" == client.recv(65536)[:24]
    assert 400 == records[0].status


def test_silent_client(plane, echo):
    """A client that stops in its headers gets status 408."""
    port = serve(plane, echo().target, idle_timeout=0.2)

    assert b"HTTP/1.1 408" == raw(port, b"GET / HTTP/1.1\r\nHost")[:12]


def test_idle_client(plane, echo):
    """An idle connection is closed without a word."""
    port = serve(plane, echo().target, idle_timeout=0.2)

    assert b"" == raw(port, b"")


def test_expect(plane):
    """A client that waits for 100 Continue gets it at once."""
    with (
        scripted(answering(OK)) as target,
        connect(serve(plane, target)) as client,
    ):
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        asked = client.recv(65536)
        client.sendall(b"hi")

        assert b"HTTP/1.1 100 Continue\r\n\r\n" == asked[:25]


def test_early_answer(plane, echo):
    """A request that is answered before it is complete does not spoil the next one."""
    port = plane.put_listener(listener(FixedResponse(status=403, body=b"no")))
    post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n"
    with connect(port) as client:
        client.sendall(post)
        assert b"HTTP/1.1 403" == client.recv(65536)[:12]
        group(plane, "group", echo().target)
        plane.put_listener(listener("group"))
        client.sendall(b"abcdef" + LAST)

        assert b"HTTP/1.1 200" == client.recv(65536)[:12]


def test_redirect(plane):
    """A redirect keeps what it does not change."""
    port = plane.put_listener(
        listener(Redirect(status=301, protocol="HTTPS", port="443"))
    )
    answer, _ = get(port, "/a/b?c=d", Host="shop.example:80")

    assert (301, "https://shop.example/a/b?c=d") == (
        answer.status,
        answer.headers["Location"],
    )


def test_websocket(plane, records):
    """After the target's 101, bytes go both ways unchanged."""

    def script(visitor):
        head = visitor.head()
        if b"Upgrade: websocket" not in head:
            return
        visitor.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nhello"
        )
        visitor.send(visitor.file.read(9).upper())

    with scripted(script) as target, connect(serve(plane, target)) as client:
        client.sendall(
            b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\nearly"
        )
        out = b""
        while b"hello" not in out:
            out += client.recv(65536)
        client.sendall(b"late")
        while piece := client.recv(65536):
            out += piece

    assert (b"HTTP/1.1 101", b"helloEARLYLATE") == (out[:12], out[-14:])
    eventually(lambda: records)
    assert (101, None) == (records[0].status, records[0].error)


def test_declined_websocket(plane, echo):
    """A target that does not go on as a WebSocket is one that answers."""
    port = serve(plane, echo().target)
    ask = (
        b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\n\r\n"
    )

    assert 2 == raw(port, ask + LAST).count(b"200 OK")


def test_ignored_upgrade(plane, echo):
    """An upgrade that ALB does not know, such as h2c, is ignored."""
    port = serve(plane, echo().target)
    ask = (
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        b"Upgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n"
    )

    assert 2 == raw(port, ask + LAST).count(b"200 OK")


def test_many_at_once(plane, echo):
    """Many clients are served at the same time."""
    target = echo()
    target.gate.clear()
    port = serve(plane, target.target)
    statuses = []
    clients = [
        threading.Thread(target=lambda: statuses.append(get(port, "/wait")[0].status))
        for _ in range(40)
    ]
    for client in clients:
        client.start()
    eventually(lambda: plane.in_flight("group", target.target) == 40)
    target.gate.set()
    for client in clients:
        client.join(TIMEOUT)

    assert [200] * 40 == statuses
