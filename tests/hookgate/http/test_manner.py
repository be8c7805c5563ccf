"""How a request is put: addresses, encodings, versions, certificates, paths."""

from __future__ import annotations

import gzip
import ssl
import zlib

import pytest
import trustme
from support.coded import raises
from support.listeners import Peer, answer, probe

from hookgate.codes import Code
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.http.address import families
from hookgate.http.request import Request, Trust

HTTPS = {"scheme": "https", "address": "lb.example"}


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def serve(authority, listen):
    def start(*, alpn: tuple[str, ...] = (), least: str = "", clients=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("lb.example").configure_cert(context)
        if alpn:
            context.set_alpn_protocols(alpn)
        if least:
            context.minimum_version = ssl.TLSVersion[f"TLSv1_{least[-1]}"]
            context.maximum_version = context.minimum_version
        if clients:
            clients.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return listen(answer(), context)

    return start


def ask(listener, authority, trust: Trust | None = None, **options):
    pem = authority.cert_pem.bytes().decode()
    given = trust or Trust(ca=pem)
    asks = probe(
        listener.port, endpoint=HTTPS, resolver=lambda host, port: ("127.0.0.1",)
    )
    return asks(Request(trust=given, **options))


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("gzip", gzip.compress(b"hello"), id="gzip"),
        pytest.param("deflate", zlib.compress(b"hello"), id="deflate"),
        pytest.param("br", bytes.fromhex("0b028068656c6c6f03"), id="Brotli"),
    ],
)
def test_encodings(listen, encoding, body):
    """A body is unpacked when its encoding was asked for."""
    listener = listen(answer(body, f"Content-Encoding: {encoding}"))
    reply = probe(listener.port)(Request(encodings=(encoding,)))

    assert b"hello" == reply.body
    assert f"Accept-Encoding: {encoding}\r\n".encode() in listener.requests[0]


def test_identity(listen):
    """Without encodings none is asked for, and nothing is unpacked."""
    body = gzip.compress(b"hello")
    listener = listen(answer(body, "Content-Encoding: gzip"))

    assert body == probe(listener.port)(Request(encodings=())).body
    assert b"Accept-Encoding" not in listener.requests[0]


@pytest.mark.parametrize("ip", ["6", "6?", "4", "4?"])
def test_families(ip):
    """One family only, or one first."""
    both = ["192.0.2.1", "2001:db8::1", "192.0.2.2"]
    expected = {
        "6": ["2001:db8::1"],
        "6?": ["2001:db8::1", "192.0.2.1", "192.0.2.2"],
        "4": ["192.0.2.1", "192.0.2.2"],
        "4?": ["192.0.2.1", "192.0.2.2", "2001:db8::1"],
    }
    assert expected[ip] == families(both, ip, "lb.example")


def test_no_address_of_the_family(listen):
    """A load balancer without IPv6 is reported as such."""
    with raises(NoAnswer, Code.DNS_RESOLVE, "IPv6", "127.0.0.1"):
        probe(listen(answer()).port)(Request(ip="6"))


def test_http2_is_spoken_where_it_is_offered(authority, serve):
    """The server chooses h2 by ALPN; this one then hears HTTP/2's own words."""
    listener = serve(alpn=("h2", "http/1.1"))
    with pytest.raises(NoAnswer):
        ask(listener, authority)

    assert listener.requests[0].startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")


def test_http2_can_be_left_out(authority, serve):
    """Without HTTP/2 the same server is asked in HTTP/1.1."""
    reply = ask(serve(alpn=("h2", "http/1.1")), authority, http2=False)
    assert "1.1" == reply.http_version


def test_certificate_is_returned(authority, serve):
    """Names, issuer and dates of the peer's own certificate."""
    certificate = ask(serve(), authority).certificate
    assert certificate
    assert ("lb.example",) == certificate.names
    assert "trustme" in certificate.issuer
    assert certificate.not_before < certificate.not_after


def test_no_certificate_without_tls(listen):
    """Plain HTTP has none."""
    assert probe(listen(answer()).port)(Request()).certificate is None


def test_phases_add_up(authority, serve):
    """Every part of the time is there, and together they are no more than the whole."""
    reply = ask(serve(), authority)
    phases = reply.phases
    assert phases
    parts = [
        phases.resolve,
        phases.connect,
        phases.tls,
        phases.processing,
        phases.transfer,
    ]
    assert phases.tls > 0
    assert min(parts) >= 0
    assert sum(parts) <= reply.duration


def test_server_name_of_ones_own(authority, serve):
    """The name to ask for and to verify can be another than the host."""
    pem = authority.cert_pem.bytes().decode()
    asks = probe(
        serve().port,
        endpoint={**HTTPS, "address": "other.example"},
        resolver=lambda host, port: ("127.0.0.1",),
    )
    trust = Trust(ca=pem, server_name="lb.example")
    assert 200 == asks(Request(trust=trust)).status


def test_unverified(authority, serve):
    """Who verifies nothing takes any certificate."""
    assert 200 == ask(serve(), authority, Trust(verify=False)).status


def test_unknown_authority_is_refused(authority, serve):
    """A CA of one's own is the only one then."""
    other = trustme.CA().cert_pem.bytes().decode()
    with raises(NoAnswer, Code.TLS_UNTRUSTED):
        ask(serve(), authority, Trust(ca=other))


@pytest.mark.parametrize(
    ("least", "trust", "answers"),
    [
        pytest.param("1.2", {"maximum": "1.2"}, True, id="old enough"),
        pytest.param("1.2", {"minimum": "1.3"}, False, id="too old"),
        pytest.param("1.3", {"minimum": "1.3"}, True, id="new"),
        pytest.param("1.3", {"maximum": "1.2"}, False, id="too new"),
    ],
)
def test_versions_of_tls(authority, serve, least, trust, answers):
    """Only the versions between the least and the most are spoken."""
    listener = serve(least=least)
    pem = authority.cert_pem.bytes().decode()
    if answers:
        assert 200 == ask(listener, authority, Trust(ca=pem, **trust)).status
        return
    with raises(NoAnswer, Code.TLS_HANDSHAKE):
        ask(listener, authority, Trust(ca=pem, **trust))


def test_certificate_of_the_client(authority, serve):
    """A server that demands a certificate gets it, and refuses who has none."""
    listener = serve(clients=authority)
    own = authority.issue_cert("gate@hookgate.example")
    pem = authority.cert_pem.bytes().decode()
    chain = b"".join(each.bytes() for each in own.cert_chain_pems).decode()
    key = own.private_key_pem.bytes().decode()

    assert (
        200
        == ask(listener, authority, Trust(ca=pem, certificate=chain, key=key)).status
    )
    with pytest.raises(NoAnswer):
        ask(listener, authority)


def test_length_of_no_body(listen):
    """A POST without a body says so."""
    listener = listen(answer())
    probe(listener.port)(Request(method="POST"))

    assert b"Content-Length: 0\r\n" in listener.requests[0]
    assert b"Content-Type" not in listener.requests[0]


@pytest.mark.parametrize(
    ("path", "target"),
    [
        pytest.param("/a b", "/a%20b", id="blank"),
        pytest.param("/ü?q=ä", "/%C3%BC?q=%C3%A4", id="UTF-8"),
        pytest.param("/a%20b", "/a%20b", id="quoted"),
        pytest.param("/100%", "/100%25", id="per cent"),
        pytest.param("/a/../b#c", "/b", id="dots and fragment"),
        pytest.param("//a", "//a", id="two slashes"),
        pytest.param("/../../b/./c/..", "/b/", id="above the root"),
    ],
)
def test_path_on_the_wire(listen, path, target):
    """A path is quoted once, and the rule sees what is sent."""
    listener = listen(answer())
    probe(listener.port)(Request(path=path))
    assert listener.requests[0].startswith(f"GET {target} HTTP/1.1\r\n".encode())


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(Request(path="/a\r\nX: y"), id="path"),
        pytest.param(Request(headers={"X Y": "a"}), id="name"),
        pytest.param(Request(headers={"X": "\u0100"}), id="value"),
    ],
)
def test_forged_request_is_not_sent(listen, request_):
    """A request says on the wire what its parts say, or is not sent."""
    listener = listen(answer())
    with raises(CannotMeasure, Code.HTTP_REQUEST):
        probe(listener.port)(request_)
    assert [] == listener.requests


def test_every_set_cookie_is_kept(listen):
    """Cookies are not joined, as other headers are."""
    listener = listen(answer(b"", "Set-Cookie: a=1, 2", "Set-Cookie: b=3"))
    assert ("a=1, 2", "b=3") == probe(listener.port)(Request()).cookies


def test_connection_is_closed(listen):
    """No socket of ours stays open."""

    def script(peer: Peer) -> None:
        answer()(peer)
        peer.listener.requests.append(peer.sock.recv(1) or b"closed")

    listener = listen(script)
    probe(listener.port)(Request())
    listener.threads[-1].join(10)

    assert b"closed" == listener.requests[-1]
