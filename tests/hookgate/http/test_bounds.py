"""Listeners that misbehave: each ends in a reason a person can act on."""

from __future__ import annotations

import gzip
import socket
import struct

import brotli
import pytest
from support.coded import raises
from support.listeners import Peer, answer, probe, says

from hookgate.deadline import Deadline
from hookgate.errors import NoAnswer
from hookgate.http.request import Request

OK = b"HTTP/1.1 200 OK\r\n"
SOON = 0.3
PACKED = gzip.compress(b"tea" * 1000)


def first(data: bytes, then: str, more: bytes = b""):
    """A script that reads the request, sends ``data`` and goes on as ``then`` says."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(data)
        getattr(peer, then)(more) if more else getattr(peer, then)()

    return script


def reset(peer: Peer) -> None:
    peer.read_request()
    linger = struct.pack("ii", 1, 0)
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def bomb(peer: Peer) -> None:
    peer.read_request()
    body = gzip.compress(bytes(50_000_000))
    head = f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    peer.send(OK + head.encode() + body)


def test_refused(listen):
    """Nothing listens on the port."""
    listener = listen(answer())
    listener.close()
    with raises(NoAnswer, "HG-CONNECTION-REFUSED", f"127.0.0.1:{listener.port}"):
        probe(listener.port)(Request())


STALLS = [
    pytest.param(first(b"", "stall"), "response", id="sends nothing"),
    pytest.param(first(b"", "drip", b"HTTP/1.1 2"), "response", id="drips line"),
    pytest.param(
        first(OK, "drip", b"X-A: b\r\n"),
        "headers",
        id="drips headers",
    ),
    pytest.param(first(OK + b"\r\n", "drip", b"."), "body", id="drips a body"),
    pytest.param(
        first(OK + b"Content-Length: 9\r\n\r\nab", "stall"),
        "40 bytes",
        id="stalls in the body",
    ),
    pytest.param(
        first(OK + b"Transfer-Encoding: chunked\r\n\r\nfff\r\nab", "drip", b"0"),
        "body",
        id="drips a chunk",
    ),
]


@pytest.mark.parametrize(("script", "name"), STALLS)
def test_too_slow(listen, script, name):
    """The timeout bounds the whole exchange, however steadily bytes come."""
    listener = listen(script)
    with raises(NoAnswer, "HG-HTTP-TIMEOUT", "300 ms", name):
        probe(listener.port)(Request(timeout=SOON))


@pytest.mark.parametrize(("script", "name"), STALLS)
def test_deadline_bounds_too(listen, script, name):
    """A deadline before the timeout ends the exchange as well."""
    listener = listen(script)
    with raises(NoAnswer, "HG-HTTP-TIMEOUT", name):
        probe(listener.port, deadline=Deadline.after(SOON))(Request(timeout=60))


def test_request_that_is_not_read(listen):
    """A listener that does not read ends a large request."""
    listener = listen(Peer.stall)
    with raises(NoAnswer, "HG-HTTP-TIMEOUT", "request"):
        probe(listener.port)(Request(body=bytes(50_000_000), timeout=SOON))


@pytest.mark.parametrize(
    ("script", "code", "name"),
    [
        pytest.param(
            first(b"", "flood", b"HTTP/1.1 100 Continue\r\n\r\n"),
            "HG-HTTP-PROTOCOL",
            "48 KiB",
            id="endless 100s",
        ),
        pytest.param(
            first(b"", "flood", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
            "HG-HTTP-PROTOCOL",
            "48 KiB",
            id="endless 103s",
        ),
        pytest.param(
            first(OK, "flood", b"X-A: " + b"a" * 1000 + b"\r\n"),
            "HG-HTTP-PROTOCOL",
            "48 KiB",
            id="endless headers",
        ),
        pytest.param(
            first(OK, "flood", b"X: y\r\n"), "HG-HTTP-PROTOCOL", "100", id="many"
        ),
        pytest.param(
            first(OK + b"X-A: ", "flood", b"a" * 1000),
            "HG-HTTP-PROTOCOL",
            "48 KiB",
            id="an endless header",
        ),
        pytest.param(
            first(OK + b"\r\n", "flood", b"a" * 1000),
            "HG-HTTP-BODY-SIZE",
            "65536",
            id="endless body",
        ),
        pytest.param(
            first(
                OK + b"Transfer-Encoding: chunked\r\n\r\n",
                "flood",
                b"3e8\r\n" + b"a" * 1000 + b"\r\n",
            ),
            "HG-HTTP-BODY-SIZE",
            "65536",
            id="endless chunks",
        ),
        pytest.param(bomb, "HG-HTTP-BODY-SIZE", "65536", id="gzip bomb"),
        pytest.param(
            says(OK + b"Content-Length: 9\r\n\r\nab"),
            "HG-HTTP-TRUNCATED",
            "7 bytes",
            id="short body",
        ),
        pytest.param(
            says(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
            "HG-HTTP-TRUNCATED",
            "chunk",
            id="no chunk",
        ),
        pytest.param(
            says(OK + b"Content-Encoding: gzip\r\n\r\nabc"),
            "HG-HTTP-ENCODING",
            "Content-Encoding",
            id="not gzip",
        ),
        pytest.param(
            answer(PACKED[:-12], "Content-Encoding: gzip"),
            "HG-HTTP-ENCODING",
            "truncated",
            id="truncated gzip",
        ),
        pytest.param(
            answer(brotli.compress(b"tea" * 99)[:-1], "Content-Encoding: br"),
            "HG-HTTP-ENCODING",
            "truncated",
            id="truncated Brotli",
        ),
        pytest.param(
            answer(PACKED, "Content-Encoding: deflate"),
            "HG-HTTP-ENCODING",
            "Content-Encoding",
            id="gzip as deflate",
        ),
        pytest.param(says(b""), "HG-CONNECTION-CLOSED", "", id="closes"),
        pytest.param(
            says(OK + b"X-A: b\r\n"),
            "HG-HTTP-PROTOCOL",
            "",
            id="closes in the headers",
        ),
        pytest.param(reset, "HG-CONNECTION-CLOSED", "0 bytes", id="resets"),
        pytest.param(
            says(b"SSH-2.0-x\r\n"),
            "HG-HTTP-PROTOCOL",
            "'SSH-2.0-x",
            id="SSH",
        ),
        pytest.param(says(b"HTTP/1.1 x\r\n\r\n"), "HG-HTTP-PROTOCOL", "", id="status"),
        pytest.param(
            says(b"HTTP/7 200\r\n\r\n"), "HG-HTTP-PROTOCOL", "ersion", id="version"
        ),
        pytest.param(
            says(OK + b"nonsense\r\nX: y\r\n\r\n"),
            "HG-HTTP-PROTOCOL",
            "colon",
            id="no header",
        ),
    ],
)
def test_not_an_answer(listen, script, code, name):
    """What is no complete answer within the bounds is no answer at all."""
    listener = listen(script)
    with raises(NoAnswer, code, name):
        probe(listener.port)(Request(timeout=60, max_body=65536))


def test_body_of_just_the_bound_passes(listen):
    """``max_body`` is the most that is taken."""
    listener = listen(answer(b"a" * 1000))
    assert len(probe(listener.port)(Request(max_body=1000)).body) == 1000
