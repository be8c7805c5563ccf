"""TLS and HTTP/2 under load."""

from __future__ import annotations

import ssl

import pytest
from support.listeners import Peer
from support.traffic import load, never, serving, target, tool

from hookgate.http.request import Trust

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SETTINGS, _HEADERS = 4, 1


def served(authority, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def at_home(port: int, **options: object):
    """A listener whose name leads to this machine."""

    def resolver(_host: str, _port: int) -> tuple[str, ...]:
        return ("127.0.0.1",)

    endpoint = {"scheme": "https", "address": "lb.example"}
    return target(port, endpoint=endpoint, resolver=resolver, **options)


def test_certificate_of_the_host(listen, authority, bundle):
    """The plan's host is the name in the handshake, wherever the address is."""
    listener = listen(serving(), served(authority, "shop.example.com"))
    asked = at_home(listener.port, host="shop.example.com", verify=bundle)
    whole = tool(asked)(load(10), never).test.whole
    assert {200: 10} == whole.statuses
    assert {"shop.example.com"} == set(listener.server_names)


@pytest.mark.parametrize(
    "options",
    [{"host": "other.example.com"}, {"host": "shop.example.com", "verify": None}],
    ids=["another name", "another authority"],
)
def test_certificate_that_proves_nothing(listen, authority, bundle, options):
    """A certificate for another name, or of nobody known, is an error."""
    listener = listen(serving(), served(authority, "shop.example.com"))
    asked = at_home(listener.port, **{"verify": bundle, **options})
    whole = tool(asked)(load(3), never).test.whole
    assert {"the certificate is not trusted, or is for another name": 3} == whole.errors
    assert [] == listener.requests


def test_plan_says_whom_to_trust(listen, authority):
    """A plan's own authority and server name are used, and a blind eye is told."""
    listener = listen(serving(), served(authority, "shop.internal"))
    ca = authority.cert_pem.bytes().decode()
    trust = Trust(ca=ca, server_name="shop.internal")
    asked = at_home(listener.port, host="shop.example.com")
    whole = tool(asked)(load(3, trust=trust), never).test.whole
    assert {200: 3} == whole.statuses
    assert {"shop.internal"} == set(listener.server_names)
    assert b"Host: shop.example.com" in listener.requests[0]
    blind = tool(asked)(load(3, trust=Trust(verify=False)), never).test.whole
    assert {200: 3} == blind.statuses


def test_client_shows_its_certificate(listen, authority):
    """A listener that asks for a client's certificate gets the plan's."""
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
    asked = at_home(listener.port, host="shop.example.com")
    assert {200: 3} == tool(asked)(load(3, trust=trust), never).test.whole.statuses
    whole = tool(asked)(load(3, trust=Trust(ca=ca)), never).test.whole
    assert (3, {}) == (whole.failed, whole.statuses)


def test_no_tls(listen):
    """A listener that does not speak TLS is an error, not a plain request."""
    whole = tool(at_home(listen(serving()).port))(load(3), never).test.whole
    assert (3, 3) == (whole.failed, whole.errors.total())


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    size = len(payload).to_bytes(3, "big")
    return size + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def second(peer: Peer) -> None:
    """Answer each request in HTTP/2 with status 200 and ``x-v: 2`` (RFC 9113, 7541)."""
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
    """Requests share a connection in HTTP/2, and proofs in lower case count."""
    listener = listen(second)
    asked = target(listener.port, identity=("X-V", "2"))
    whole = tool(asked)(load(20, http_version="2"), never).test.whole
    assert ({200: 20}, 0) == (whole.statuses, whole.strangers.total())
    assert 2 == len(listener.threads)  # one accepts


def test_http_2_is_not_what_came(listen, authority, bundle):
    """A server that chooses HTTP/1.1 where the plan says 2 is an error, not a pass."""
    listener = listen(serving(), served(authority, "shop.example.com"))
    asked = at_home(listener.port, host="shop.example.com", verify=bundle)
    whole = tool(asked)(load(3, http_version="2"), never).test.whole
    assert {"answered in HTTP/1, not in HTTP/2": 3} == whole.errors
