"""TLS and HTTP/2 under load."""

from __future__ import annotations

import ssl

import pycurl
import pytest
from support.listeners import Peer
from support.traffic import listener_at, load, never, serving, tool

from hookgate.http.request import Trust
from hookgate.traffic.generator import NOT_HTTP_2
from hookgate.traffic.in_flight import REASONS

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SETTINGS, _HEADERS = 4, 1


def served(authority, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def local(port: int, **options: object):
    """The tool for a listener whose name resolves to this machine."""

    def resolver(_host: str, _port: int) -> tuple[str, ...]:
        return ("127.0.0.1",)

    endpoint = listener_at(port, scheme="https", address="lb.example")
    return tool(endpoint, resolver=resolver, **options)


def test_certificate_of_the_host(listen, authority, bundle):
    """The TLS handshake asks for the plan's host, whatever the address is."""
    listener = listen(serving(), served(authority, "shop.example.com"))
    send = local(listener.port, host="shop.example.com", ca_file=bundle)
    whole = send(load(10), never).test.total
    assert {200: 10} == whole.statuses
    assert {"shop.example.com"} == set(listener.server_names)


@pytest.mark.parametrize(
    "options",
    [{"host": "other.example.com"}, {"host": "shop.example.com", "ca_file": None}],
    ids=["another name", "another authority"],
)
def test_certificate_that_is_not_valid(listen, authority, bundle, options):
    """A certificate for another name or of an unknown CA is an error."""
    listener = listen(serving(), served(authority, "shop.example.com"))
    send = local(listener.port, **{"ca_file": bundle, **options})
    whole = send(load(3), never).test.total
    assert {REASONS[pycurl.E_PEER_FAILED_VERIFICATION]: 3} == whole.errors
    assert [] == listener.requests


def test_ca_and_server_name(listen, authority):
    """A plan can set the CA bundle and the server name, or disable verification."""
    listener = listen(serving(), served(authority, "shop.internal"))
    ca = authority.cert_pem.bytes().decode()
    trust = Trust(ca=ca, server_name="shop.internal")
    send = local(listener.port, host="shop.example.com")
    whole = send(load(3, trust=trust), never).test.total
    assert {200: 3} == whole.statuses
    assert {"shop.internal"} == set(listener.server_names)
    assert b"Host: shop.example.com" in listener.requests[0]
    unverified = send(load(3, trust=Trust(verify=False)), never).test.total
    assert {200: 3} == unverified.statuses


def test_client_certificate(listen, authority):
    """A listener that requires a client certificate gets the plan's."""
    context = served(authority, "shop.example.com")
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    listener = listen(serving(), context)
    own = authority.issue_cert("gate@example.com")
    ca = authority.cert_pem.bytes().decode()
    trust = Trust(
        ca=ca,
        certificate=own.cert_chain_pems[0].bytes().decode(),
        key=own.private_key_pem.bytes().decode(),
    )
    send = local(listener.port, host="shop.example.com")
    assert {200: 3} == send(load(3, trust=trust), never).test.total.statuses
    whole = send(load(3, trust=Trust(ca=ca)), never).test.total
    assert (3, {}) == (whole.failed, whole.statuses)


def test_no_tls(listen):
    """A listener that does not speak TLS is an error, not a plain request."""
    whole = local(listen(serving()).port)(load(3), never).test.total
    assert (3, 3) == (whole.failed, whole.errors.total())


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    size = len(payload).to_bytes(3, "big")
    return size + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def http_2(peer: Peer) -> None:
    """Respond over HTTP/2 with status 200 and ``x-v: 2`` (RFC 9113, 7541)."""
    file = peer.sock.makefile("rb")
    assert file.read(len(_PREFACE)) == _PREFACE
    peer.send(frame(_SETTINGS, 0, 0))
    while head := file.read(9):
        size, kind = int.from_bytes(head[:3], "big"), head[3]
        stream = int.from_bytes(head[5:], "big")
        file.read(size)
        if kind == _SETTINGS and not head[4]:
            peer.send(frame(_SETTINGS, 1, 0))
        if kind == _HEADERS:
            peer.listener.requests.append(head)
            peer.send(frame(_HEADERS, 5, stream, b"\x88\x00\x03x-v\x012"))


def test_http_2(listen):
    """HTTP/2 requests share a connection; lower-case identity headers count."""
    listener = listen(http_2)
    send = tool(listener.port, identity=("X-V", "2"))
    whole = send(load(20, http_version="2"), never).test.total
    assert ({200: 20}, 0) == (whole.statuses, whole.unidentified_responses.total())
    assert 2 == len(listener.threads)  # one accepts


def test_http_1_instead_of_2(listen, authority, bundle):
    """A server that chooses HTTP/1.1 where the plan says 2 is an error, not a pass."""
    listener = listen(serving(), served(authority, "shop.example.com"))
    send = local(listener.port, host="shop.example.com", ca_file=bundle)
    whole = send(load(3, http_version="2"), never).test.total
    assert {NOT_HTTP_2: 3} == whole.errors
