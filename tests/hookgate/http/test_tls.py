"""TLS: which certificates are accepted, and why the others are refused."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from support.coded import raises
from support.listeners import Peer, answer, probe

from hookgate.codes import Code
from hookgate.errors import NoAnswer
from hookgate.http.request import Request

HTTPS = {"scheme": "https", "address": "lb.example"}


def serve(authority, *names: str, **options: object) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **options).configure_cert(context)
    return context


def home(host, port):
    return ("127.0.0.1",)


@pytest.mark.parametrize("scheme", ["https", "tls"])
def test_certificate_of_the_host_is_taken(listen, authority, bundle, scheme):
    """The plan's host is the name in the handshake and in the certificate."""
    listener = listen(answer(), serve(authority, "shop.example.com"))
    ask = probe(
        listener.port,
        endpoint={**HTTPS, "scheme": scheme},
        host="shop.example.com:443",
        verify=bundle,
        resolver=home,
    )
    assert ask(Request()).status == 200
    assert listener.server_names == ["shop.example.com"]
    assert b"Host: shop.example.com:443\r\n" in listener.requests[0]


def test_certificate_of_the_rule_is_taken(listen, authority, bundle):
    """Without a host in the plan, the listener rule's is asked for."""
    listener = listen(answer(), serve(authority, "shop.example.com"))
    endpoint = {**HTTPS, "host": "shop.example.com"}
    ask = probe(listener.port, endpoint=endpoint, verify=bundle, resolver=home)
    assert ask(Request()).status == 200


def test_certificate_for_another_name(listen, authority, bundle):
    """The load balancer's own name is on no certificate: the plan must say which."""
    listener = listen(answer(), serve(authority, "shop.example.com"))
    ask = probe(listener.port, endpoint=HTTPS, verify=bundle, resolver=home)
    with raises(NoAnswer, Code.TLS_UNTRUSTED, "lb.example", "shop.example.com"):
        ask(Request())
    assert listener.requests == []


def test_expired_certificate(listen, authority, bundle):
    """An expired certificate is distinguished from the others."""
    context = serve(
        authority, "lb.example", not_after=datetime.now(UTC) - timedelta(days=1)
    )
    listener = listen(answer(), context)
    ask = probe(listener.port, endpoint=HTTPS, verify=bundle, resolver=home)
    with raises(NoAnswer, Code.TLS_UNTRUSTED, "expired"):
        ask(Request())


def test_certificate_of_an_unknown_authority(listen, bundle):
    """A certificate that no trusted authority signed is refused."""
    listener = listen(answer(), serve(trustme.CA(), "lb.example"))
    ask = probe(listener.port, endpoint=HTTPS, verify=bundle, resolver=home)
    with raises(NoAnswer, Code.TLS_UNTRUSTED):
        ask(Request())


def test_public_authorities_are_the_default(listen, authority):
    """Without a bundle of one's own, certifi's authorities are trusted only."""
    listener = listen(answer(), serve(authority, "lb.example"))
    ask = probe(listener.port, endpoint=HTTPS, resolver=home)
    with raises(NoAnswer, Code.TLS_UNTRUSTED, "lb.example"):
        ask(Request())


def test_self_signed_certificate(listen, authority, tmp_path):
    """A self-signed certificate is distinguished from the others."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own = trustme.CA()
    both = tmp_path / "own.pem"
    own.private_key_pem.write_to_path(both)
    own.cert_pem.write_to_path(both, append=True)
    context.load_cert_chain(both)
    listener = listen(answer(), context)
    ask = probe(listener.port, endpoint=HTTPS, resolver=home)
    with raises(NoAnswer, Code.TLS_UNTRUSTED, "self-signed"):
        ask(Request())


def test_plain_text_where_tls_is_expected(listen, bundle):
    """A listener without TLS is named as such."""

    def script(peer: Peer) -> None:
        peer.sock.recv(100)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    listener = listen(script)
    ask = probe(listener.port, endpoint=HTTPS, verify=bundle, resolver=home)
    with raises(NoAnswer, Code.TLS_HANDSHAKE):
        ask(Request())


def test_tls_where_plain_text_is_expected(listen):
    """An alert record instead of HTTP is named as such."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"\x15\x03\x01\x00\x02\x02\x46")

    with raises(NoAnswer, Code.HTTP_PROTOCOL):
        probe(listen(script).port)(Request())


@pytest.mark.parametrize(
    ("script", "code"),
    [
        pytest.param(Peer.stall, "HG-HTTP-TIMEOUT", id="stalls"),
        pytest.param(
            lambda peer: (peer.send(b"\x16\x03\x03\x40\x00"), peer.drip(b"\x02")),
            "HG-HTTP-TIMEOUT",
            id="drips",
        ),
        pytest.param(lambda peer: peer.sock.recv(9), "HG-TLS-HANDSHAKE", id="cuts"),
    ],
)
def test_handshake_is_bounded(listen, bundle, script, code):
    """The timeout bounds the handshake too."""
    ask = probe(listen(script).port, endpoint=HTTPS, verify=bundle, resolver=home)
    with raises(NoAnswer, code):
        ask(Request(timeout=0.3))


def test_drip_inside_tls_is_bounded(listen, authority, bundle):
    """The timeout bounds an exchange inside TLS however steadily bytes come."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.drip(b"HTTP/1.1 200 OK\r\n")

    listener = listen(script, serve(authority, "lb.example"))
    ask = probe(listener.port, endpoint=HTTPS, verify=bundle, resolver=home)
    with raises(NoAnswer, Code.HTTP_TIMEOUT):
        ask(Request(timeout=0.5))
