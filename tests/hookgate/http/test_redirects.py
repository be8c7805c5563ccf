"""Redirects: followed within the listener and within bounds, and nowhere else."""

from __future__ import annotations

import pytest
from support.coded import raises
from support.listeners import Listener, Peer, probe

from hookgate.codes import Code
from hookgate.errors import NoAnswer, NotGreen
from hookgate.http.request import Redirect, Request

Pages = dict[str, tuple[str, list[str]]]


def site(pages: Pages):
    """A script that answers each path with its status and headers."""

    def script(peer: Peer) -> None:
        peer.read_request()
        asked = peer.listener.requests[-1]
        path = asked.split(b" ", 2)[1].decode()
        status, headers = pages.get(path, ("404 Not Found", []))
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(asked)}", *headers, "", ""]
        peer.send("\r\n".join(head).encode() + asked)

    return script


def to(location: str, status: str = "302 Found", *more: str) -> tuple[str, list[str]]:
    return status, [f"Location: {location}", *more]


OK: tuple[str, list[str]] = ("200 OK", [])


def asked(listener: Listener) -> list[str]:
    return [each.split(b"\r\n")[0].decode() for each in listener.requests]


def test_redirects_are_followed(listen):
    """Relative and absolute, each with where it led, and the time of all."""
    pages = {"/": to("a/b?q=1#top"), "/a/b?q=1": to("/c"), "/c": OK}
    listener = listen(site(pages))
    reply = probe(listener.port)(Request(follow=5))
    base = f"http://127.0.0.1:{listener.port}"

    assert 200 == reply.status
    assert f"{base}/c" == reply.url
    assert (
        Redirect(status=302, url=f"{base}/", location="a/b?q=1#top"),
        Redirect(status=302, url=f"{base}/a/b?q=1", location="/c"),
    ) == reply.redirects


def test_absolute_redirect_to_the_listener_itself(listen):
    """The listener may call itself by the name that it was asked by."""
    listener = listen(site({"/": to("http://shop.example.com/c"), "/c": OK}))
    reply = probe(listener.port, host="shop.example.com")(Request(follow=1))

    assert (200, "127.0.0.1") == (reply.status, reply.peer)


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("http://other.example/", id="another host"),
        pytest.param("//other.example/", id="another host, same scheme"),
        pytest.param("https://shop.example.com/", id="another scheme"),
        pytest.param("http://shop.example.com:8443/", id="another port"),
        pytest.param("http://169.254.169.254/latest/meta-data/", id="metadata"),
        pytest.param("http://127.0.0.1:9/", id="an address"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("http://shop.example.com@other.example/", id="a user"),
    ],
)
def test_foreign_redirect_is_not_followed(listen, location):
    """Only the listener gets requests, and the reason says where the redirect led."""
    listener = listen(site({"/": to(location)}))
    with raises(NoAnswer, Code.HTTP_REDIRECT_AWAY) as refused:
        probe(listener.port, host="shop.example.com")(Request(follow=5))

    assert location in str(refused.value)
    assert ["GET / HTTP/1.1"] == asked(listener)


@pytest.mark.parametrize(
    ("pages", "name"),
    [
        pytest.param({"/": to("/")}, "302 to /", id="to itself"),
        pytest.param({"/": to("/a"), "/a": to("/")}, "302 to /a", id="of two"),
        pytest.param(
            {
                "/": to("/1"),
                **{f"/{n}": to(f"/{n + 1}") for n in range(1, 9)},
            },
            "5",
            id="too many",
        ),
    ],
)
def test_endless_redirects_end(listen, pages, name):
    """A redirect loop is reported as one, and a long chain as too long."""
    listener = listen(site(pages))
    with raises(NoAnswer, Code.HTTP_REDIRECTS, name):
        probe(listener.port)(Request(follow=5))
    assert 7 > len(listener.requests)


@pytest.mark.parametrize(
    ("method", "status", "then"),
    [
        pytest.param("POST", "303 See Other", "GET /b HTTP/1.1", id="303"),
        pytest.param("POST", "302 Found", "GET /b HTTP/1.1", id="302 of POST"),
        pytest.param("PUT", "302 Found", "PUT /b HTTP/1.1", id="302 of PUT"),
        pytest.param("POST", "307 Temporary", "POST /b HTTP/1.1", id="307"),
        pytest.param("POST", "308 Permanent", "POST /b HTTP/1.1", id="308"),
        pytest.param("HEAD", "303 See Other", "HEAD /b HTTP/1.1", id="303 of HEAD"),
    ],
)
def test_method_of_the_next_request(listen, method, status, then):
    """As RFC 9110 has it, and the body goes where the method goes."""
    listener = listen(site({"/": to("/b", status), "/b": OK}))
    body = None if method == "HEAD" else b"tea=1"
    probe(listener.port)(Request(method=method, body=body, follow=1))

    assert then == asked(listener)[1]
    assert (b"tea=1" in listener.requests[1]) is then.startswith(("POST", "PUT"))


def test_cookies_are_kept_on_the_way(listen):
    """What a redirect sets is sent on; a way back with a new cookie is no circle."""

    def script(peer: Peer) -> None:
        peer.read_request()
        known = b"Cookie: seen=1" in peer.listener.requests[-1]
        head = b"200 OK\r\n" if known else b"302 Found\r\nLocation: /\r\n"
        peer.send(
            b"HTTP/1.1 " + head + b"Set-Cookie: seen=1\r\nContent-Length: 0\r\n\r\n"
        )

    reply = probe(listen(script).port)(Request(follow=3))

    assert (200, ("seen=1",)) == (reply.status, reply.cookies)


def test_every_hop_is_proven(listen):
    """A redirect from an unidentified server is not followed."""
    pages = {"/": to("/b", "302 Found", "X-Version: v1"), "/b": ("200 OK", [])}
    listener = listen(site(pages))
    with raises(NotGreen, Code.IDENTITY, "v1"):
        probe(listener.port, identity=("X-Version", "v2"))(Request(follow=3))
    assert 1 == len(listener.requests)
