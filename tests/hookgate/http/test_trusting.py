"""TLS in Python: who is trusted, and who one is."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager

import pytest
import trustme
from support.coded import raises

from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.http.connection import Connection
from hookgate.http.request import Trust
from hookgate.http.tls import TlsSettings, context_of


@pytest.fixture(scope="module")
def authority():
    """An authority that signs both sides."""
    return trustme.CA()


@contextmanager
def serving(authority):
    """A server that greets who shows a certificate, on a line to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("shop.example").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    ours, theirs = socket.socketpair()

    def greet():
        try:
            with context.wrap_socket(theirs, server_side=True) as peer:
                peer.sendall(b"hello")
        except OSError:
            theirs.close()

    server = threading.Thread(target=greet)
    server.start()
    try:
        with Connection(
            socket=ours, place="it", name="shop.example", deadline=Deadline.after(20)
        ) as line:
            yield line
    finally:
        server.join()


def test_silent_server(authority):
    """A server that never completes the handshake is given up at the deadline."""
    ours, theirs = socket.socketpair()
    line = Connection(
        socket=ours, place="it", name="shop.example", deadline=Deadline.after(0.1)
    )
    with theirs, line, raises(NoAnswer, "HG-CONNECTION-TIMEOUT", "it"):
        line.encrypt(Trust(ca=pem(authority)))


def own(authority):
    """A client's certificate with its chain, and its key."""
    made = authority.issue_cert("gate.example")
    chain = b"".join(each.bytes() for each in made.cert_chain_pems)
    return chain.decode(), made.private_key_pem.bytes().decode()


def pem(authority):
    """The authority's own certificate."""
    return authority.cert_pem.bytes().decode()


def test_own_certificate_is_shown(authority):
    """A server that wants a certificate gets the plan's."""
    chain, key = own(authority)
    with serving(authority) as line:
        line.encrypt(Trust(ca=pem(authority), certificate=chain, key=key))
        assert b"hello" == line.receive()


def test_without_certificate_there_is_no_greeting(authority):
    """Without a certificate the same server hangs up."""
    with serving(authority) as line, pytest.raises(NoAnswer):  # noqa: PT012 - TLS 1.3 refuses after the handshake
        line.encrypt(Trust(ca=pem(authority)))
        line.receive()


@pytest.mark.parametrize("wrong", ["another's", "no key"])
def test_key_of_another(authority, wrong):
    """A key that does not belong to the certificate is reported as wrong."""
    chain, _ = own(authority)
    _, key = own(authority) if wrong == "another's" else ("", "hello")
    with raises(CannotMeasure, "HG-TLS-CLIENT"):
        context_of(Trust(certificate=chain, key=key))


def test_newest_version(authority):
    """No newer version is spoken than the plan says."""
    chain, key = own(authority)
    trust = Trust(ca=pem(authority), certificate=chain, key=key, maximum="1.2")
    with serving(authority) as line:
        assert "TLSv1.2" == line.encrypt(trust).version()
        assert b"hello" == line.receive()


def test_authorities_are_read_once():
    """Another name to ask for does not have the authorities read again."""
    assert context_of(Trust()) is context_of(Trust(server_name="a.example"))


def test_verified_and_not_are_apart():
    """Who verifies nothing has no context in common with who verifies."""
    assert [ssl.CERT_REQUIRED, ssl.CERT_NONE] == [
        context_of(Trust(verify=each)).verify_mode for each in (True, False)
    ]


def test_options_become_trust():
    """Connections use what a plan says."""
    settings = TlsSettings.model_validate(
        {"min_version": 1.3, "server_name": "a.example"}
    )
    assert Trust(server_name="a.example", minimum="1.3") == settings.trust
