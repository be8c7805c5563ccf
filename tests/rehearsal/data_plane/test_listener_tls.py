"""TLS, from the client and to the target."""

import json
import socket
import ssl
from http.client import HTTPSConnection

import pytest
import trustme
from support.data_plane import (
    TIMEOUT,
    all_healthy,
    closed_target,
    connect,
    get,
    group,
    listener,
    scripted,
    serve,
)

from hookgate_rehearsal.data_plane.plane import DataPlane
from hookgate_rehearsal.data_plane.settings import Certificate, HealthCheck, Protocol


@pytest.fixture(name="authority", scope="module")
def _authority():
    return trustme.CA()


@pytest.fixture(name="certificate")
def _certificate(authority):
    return issued(authority, "shop.example")


@pytest.fixture(name="other_certificate")
def _other_certificate(authority):
    return issued(authority, "tea.example")


@pytest.fixture(name="trust")
def _trust(authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def issued(authority, *names, key_type=trustme.KeyType.ECDSA):
    leaf = authority.issue_cert(*names, key_type=key_type)
    return Certificate(
        chain=b"".join(each.bytes() for each in leaf.cert_chain_pems),
        key=leaf.private_key_pem.bytes(),
    )


def ask(port, trust, host):
    """Ask over TLS, with the server name of a host."""
    connection = HTTPSConnection(host, timeout=TIMEOUT)
    connection.sock = trust.wrap_socket(connect(port), server_hostname=host)
    connection.request("GET", "/")
    body = connection.getresponse().read()
    connection.close()
    return json.loads(body)


def test_https(plane, echo, certificate, trust):
    """An HTTPS listener ends TLS, and tells the target that there was."""
    settings = {"protocol": Protocol.HTTPS, "certificates": (certificate,)}
    port = serve(plane, echo().target, **settings)
    headers = dict(ask(port, trust, "shop.example")["headers"])

    assert ("shop.example", "https") == (headers["Host"], headers["X-Forwarded-Proto"])


def test_other_certificate(plane, echo, certificate, other_certificate, trust):
    """Another certificate holds from the next connection on; the port stays."""
    settings = {"protocol": Protocol.HTTPS, "certificates": (certificate,)}
    port = serve(plane, echo().target, **settings)
    settings["certificates"] = (other_certificate,)

    assert port == plane.put_listener(listener("group", **settings))
    assert "blue" == ask(port, trust, "tea.example")["name"]
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(port, trust, "shop.example")


def test_certificate_with_another_kind_of_key(plane, echo, authority, trust):
    """The old one, which a client could prefer for its key, is shown no more."""
    settings = {
        "protocol": Protocol.HTTPS,
        "certificates": (issued(authority, "old.example"),),
    }
    port = serve(plane, echo().target, **settings)
    new = issued(authority, "new.example", key_type=trustme.KeyType.RSA)
    settings["certificates"] = (new,)
    plane.put_listener(listener("group", **settings))

    assert "blue" == ask(port, trust, "new.example")["name"]


@pytest.mark.parametrize("name", ["shop.example", "TEA.example", "a.b.example"])
def test_several_certificates(plane, echo, authority, trust, name):
    """Each client is shown the one that is made out to the name it asks for."""
    names = ("shop.example", "tea.example", "*.b.example")
    settings = {"certificates": tuple(issued(authority, each) for each in names)}
    port = serve(plane, echo().target, protocol=Protocol.HTTPS, **settings)

    assert "blue" == ask(port, trust, name)["name"]


def test_unknown_name_is_shown_the_default(plane, echo, authority, certificate, trust):
    """A name that no certificate is made out to gets the first, and may refuse it."""
    settings = {"certificates": (certificate, issued(authority, "tea.example"))}
    port = serve(plane, echo().target, protocol=Protocol.HTTPS, **settings)
    with pytest.raises(ssl.SSLCertVerificationError, match=r"unknown\.example"):
        ask(port, trust, "unknown.example")

    trust.check_hostname = False
    with trust.wrap_socket(connect(port), server_hostname="unknown.example") as client:
        assert ("DNS", "shop.example") in client.getpeercert()["subjectAltName"]


def test_overridden_certificate(plane, echo, certificate, other_certificate, trust):
    """A listener presents the fault's certificate while it is set, then its own."""
    ordered = [other_certificate]
    plane.override_certificate = lambda _arn: ordered[0] if ordered else None
    port = serve(
        plane, echo().target, protocol=Protocol.HTTPS, certificates=(certificate,)
    )

    assert "blue" == ask(port, trust, "tea.example")["name"]
    ordered.clear()
    assert "blue" == ask(port, trust, "shop.example")["name"]


def test_tls(plane, certificate, trust):
    """A TLS listener ends TLS, and passes bytes on unchanged."""

    def script(visitor):
        visitor.send(visitor.file.readline().upper())

    with scripted(script) as target:
        settings = {"protocol": Protocol.TLS, "certificates": (certificate,)}
        port = serve(plane, target, **settings)
        with trust.wrap_socket(connect(port), server_hostname="shop.example") as client:
            client.sendall(b"tea\n")

            assert b"TEA\n" == client.recv(100)


def test_https_target(plane, echo, authority):
    """A target group may speak HTTPS, with any certificate, as ELB's does."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("task").configure_cert(context)
    target = echo(context=context).target
    check = HealthCheck(protocol=Protocol.HTTPS, path="/health", interval=0.05)
    group(plane, "group", target, protocol=Protocol.HTTPS, health_check=check)
    port = plane.put_listener(listener("group"))
    all_healthy(plane, "group")

    assert [200, 200] == [get(port)[0].status for _ in range(2)]


def test_no_tls(plane, echo, certificate):
    """A client without TLS gets nothing, and other connections continue."""
    settings = {"protocol": Protocol.HTTPS, "certificates": (certificate,)}
    port = serve(plane, echo().target, **settings)
    with connect(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

        assert not client.recv(65536).startswith(b"HTTP")


def test_close_in_the_middle(certificate):
    """A data plane can be closed while a client is about to agree on TLS."""
    settings = {"protocol": Protocol.HTTPS, "certificates": (certificate,)}
    with DataPlane() as plane:
        port = serve(plane, closed_target(), **settings)
        client = connect(port)
        client.sendall(b"\x16\x03\x01")
    try:
        assert b"" == client.recv(1)
    except ConnectionResetError:
        pass
    finally:
        client.close()


def test_no_certificate():
    """A listener that is to speak TLS needs a certificate."""
    with pytest.raises(ValueError, match="has no certificate"):
        listener("group", protocol=Protocol.TLS)


def test_unreadable_certificate(plane):
    """A certificate that is none is an error, and no port stays behind."""
    group(plane, "group")
    torn = Certificate(chain=b"a", key=b"b")
    with pytest.raises(ssl.SSLError):
        plane.put_listener(
            listener("group", protocol=Protocol.HTTPS, certificates=(torn,))
        )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    assert port == plane.put_listener(listener("group", port=port))
