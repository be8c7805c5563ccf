"""What the probe sends, what it takes for an answer, and whose answer it takes."""

from __future__ import annotations

import gzip
import json

import pytest
from support.coded import raises
from support.listeners import Listener, answer, probe, says

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, NotGreen
from hookgate.http.request import Request
from hookgate.version import VERSION

BALANCER = {"address": "lb.example.internal"}


def leads_to(*addresses):
    return lambda host, port: addresses


def lines(listener: Listener) -> list[str]:
    return listener.requests[-1].decode("latin-1").split("\r\n")


def test_reply_holds_the_answer(listen):
    """A reply holds status, headers of any case, body, peer and HTTP version."""
    listener = listen(answer(b"hello", "X-App-Version: v2", status="201 Created"))
    reply = probe(listener.port)(Request())
    assert (reply.status, reply.text, reply.peer) == (201, "hello", "127.0.0.1")
    assert reply.header("x-app-VERSION") == "v2"
    assert reply.header("X-Other") is None
    assert reply.http_version == "1.1"
    assert reply.duration > 0


def test_request_is_sent_as_given(listen):
    """Method, path, query, headers and body arrive as they were asked for."""
    listener = listen(answer())
    probe(listener.port)(
        Request(method="PUT", path="/a?q=tea", headers={"X-A": "1"}, body=b"{}")
    )
    assert lines(listener)[0] == "PUT /a?q=tea HTTP/1.1"
    assert {"X-A: 1", "Content-Length: 2", f"User-Agent: Hookgate/{VERSION}"} <= set(
        lines(listener)
    )


def test_connection_goes_to_the_address_and_host_says_the_name(listen):
    """The connection goes to the load balancer; target.host is only in the header."""
    listener = listen(answer())
    reply = probe(
        listener.port,
        endpoint=BALANCER,
        host="shop.example.com",
        resolver=leads_to("127.0.0.1"),
    )(Request())
    assert reply.peer == "127.0.0.1"
    assert "Host: shop.example.com" in lines(listener)


@pytest.mark.parametrize(
    ("rule_host", "host", "sent"),
    [
        pytest.param(None, None, "lb.example.internal:{port}", id="the address"),
        pytest.param("rule.example.com", None, "rule.example.com", id="the rule's"),
        pytest.param("rule.example.com", "a.b:81", "a.b:81", id="the plan's"),
        pytest.param("*.example.com", "a.example.com", "a.example.com", id="pattern"),
        pytest.param(None, "müller.example", "xn--mller-kva.example", id="IDNA"),
    ],
)
def test_host_header(listen, rule_host, host, sent):
    """The plan's host comes first, then the listener rule's, then the address."""
    listener = listen(answer())
    probe(
        listener.port,
        endpoint={**BALANCER, "host": rule_host},
        host=host,
        resolver=leads_to("127.0.0.1"),
    )(Request())
    assert f"Host: {sent.format(port=listener.port)}" in lines(listener)


def test_rule_with_a_pattern_needs_a_host(listen):
    """A pattern is no name: the plan must say which."""
    with raises(CannotMeasure, Code.HTTP_HOST, "target.host"):
        probe(1, endpoint={**BALANCER, "host": "*.example.com"})(Request())


def test_rule_headers_and_prefix_are_added(listen):
    """A request says what the listener rule asks for."""
    listener = listen(answer())
    endpoint = {"headers": {"X-Canary": "yes"}, "path_prefix": "/shop/"}
    probe(listener.port, endpoint=endpoint)(Request(path="/cart"))
    assert lines(listener)[0] == "GET /shop/cart HTTP/1.1"
    assert "X-Canary: yes" in lines(listener)


def test_addresses_are_tried_in_turn(listen):
    """An address that refuses does not keep the next from being asked."""
    listener = listen(answer())
    reply = probe(
        listener.port,
        endpoint=BALANCER,
        resolver=leads_to("127.0.0.2", "127.0.0.1"),
    )(Request())
    assert reply.peer == "127.0.0.1"


def test_every_request_is_a_fresh_connection(listen):
    """Two requests are two connections, and cookies are forgotten."""
    listener = listen(answer(b"", "Set-Cookie: a=b"))
    ask = probe(listener.port)
    ask(Request())
    ask(Request())
    assert len(listener.requests) == 2
    assert not any("Cookie" in line for line in lines(listener))


def test_redirect_is_not_followed(listen):
    """A redirect is the answer, wherever it leads."""
    listener = listen(answer(b"", "Location: http://127.0.0.1:1/", status="302 Found"))
    reply = probe(listener.port)(Request())
    assert (reply.status, reply.header("Location")) == (302, "http://127.0.0.1:1/")
    assert len(listener.requests) == 1


def test_proxies_and_netrc_of_the_environment_are_ignored(
    listen, monkeypatch, tmp_path
):
    """What the environment says changes neither the way nor the request."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    listener = listen(answer())
    assert probe(listener.port)(Request()).status == 200
    assert not any("Authorization" in line for line in lines(listener))


def test_interim_answers_are_read_past(listen):
    """100 and 103 are not the answer."""
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    listener = listen(
        says(b"HTTP/1.1 100 Continue\r\n\r\n" + early + b"HTTP/1.1 204 None\r\n\r\n")
    )
    assert probe(listener.port)(Request()).status == 204


def test_compressed_body_is_unpacked(listen):
    """A reply's body is what the application meant."""
    body = gzip.compress(json.dumps({"status": "UP"}).encode())
    listener = listen(answer(body, "Content-Encoding: gzip"))
    assert probe(listener.port)(Request()).text == '{"status": "UP"}'


def test_answer_of_the_replacement_passes(listen):
    """An answer with the identity of the replacement is taken."""
    listener = listen(answer(b"", "x-app-version: v2"))
    ask = probe(listener.port, identity=("X-App-Version", "v2"))
    assert ask(Request()).status == 200


@pytest.mark.parametrize(
    ("headers", "sender"),
    [
        pytest.param(["X-App-Version: v1"], "'v1'", id="blue"),
        pytest.param(["X-App-Version: v2-rc"], "'v2-rc'", id="prefix"),
        pytest.param(
            ["X-App-Version: v1", "X-App-Version: v2"], "'v1', 'v2'", id="both"
        ),
        pytest.param(
            ["X-App-Version: v2", "X-App-Version: v2"], "'v2', 'v2'", id="twice"
        ),
        pytest.param([], "unidentified", id="missing"),
        pytest.param(["Server: awselb/2.0"], "load balancer", id="no target"),
    ],
)
def test_unidentified_response_is_refused(listen, headers, sender):
    """Without the identity of the replacement there is no reply, but who answered."""
    listener = listen(answer(b"", *headers))
    with raises(NotGreen, Code.IDENTITY, sender):
        probe(listener.port, identity=("X-App-Version", "v2"))(Request())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            b"HTTP/1.1 103 Early Hints\r\nX-App-Version: v2\r\n\r\n"
            b"HTTP/1.1 200 OK\r\n\r\n",
            id="in a 103",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"0\r\nX-App-Version: v2\r\n\r\n",
            id="in a trailer",
        ),
    ],
)
def test_identity_elsewhere_does_not_count(listen, data):
    """An identity counts in the head of the final response alone."""
    with raises(NotGreen, Code.IDENTITY):
        probe(listen(says(data)).port, identity=("X-App-Version", "v2"))(Request())


@pytest.mark.parametrize("scheme", ["udp", "geneve"])
def test_only_listeners_that_carry_http_are_asked(scheme):
    """Other protocols cannot be measured over HTTP."""
    with raises(CannotMeasure, Code.HTTP_NO_LISTENER, scheme):
        probe(1, endpoint={"scheme": scheme})(Request())


def test_network_load_balancer_is_asked_over_http(listen):
    """A TCP listener carries HTTP."""
    listener = listen(answer())
    assert probe(listener.port, endpoint={"scheme": "tcp"})(Request()).status == 200


def test_no_time_left_is_not_a_failure_of_the_target():
    """When the deadline is over, nothing is asked."""
    with raises(CannotMeasure, Code.NO_TIME):
        probe(1, deadline=Deadline.after(0))(Request())


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(
            Request(headers={"X": "a\r\nY: b"}), id="header with a line break"
        ),
        pytest.param(Request(method="GET /x"), id="method with a blank"),
    ],
)
def test_request_that_is_no_http_cannot_be_sent(listen, request_):
    """A request that would say something else than its parts is not sent."""
    listener = listen(answer())
    with raises(CannotMeasure, Code.HTTP_REQUEST):
        probe(listener.port)(request_)
