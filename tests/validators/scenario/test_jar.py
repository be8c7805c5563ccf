"""The cookie jar of a scenario."""

from __future__ import annotations

import pytest
from support.coded import raises

from hookgate.codes import Code
from hookgate.errors import NoAnswer
from hookgate_validators.scenario.run import LARGEST, Jar


@pytest.mark.parametrize(
    ("lines", "path", "header"),
    [
        pytest.param(["a=1"], "/shop/tea", "a=1", id="kept"),
        pytest.param(["a=1"], "/other", None, id="default path"),
        pytest.param(["a=1; Path=/"], "/other", "a=1", id="path"),
        pytest.param(["a=1; Path=/sho"], "/shop/", None, id="no part of a name"),
        pytest.param(["a=1; Path=/shop"], "/shop?x=1", "a=1", id="query"),
        pytest.param(["a=1", "a=2"], "/shop/", "a=2", id="replaced"),
        pytest.param(
            ["a=1; Path=/", "b=2; Path=/shop"], "/shop/x", "b=2; a=1", id="order"
        ),
        pytest.param(["a=1", "a=; Max-Age=0"], "/shop/", None, id="Max-Age"),
        pytest.param(
            ["a=1", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
            "/shop/",
            None,
            id="Expires",
        ),
        pytest.param(
            ["a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
            "/shop/",
            "a=1",
            id="Max-Age first",
        ),
        pytest.param(["a=b=c"], "/shop/", "a=b=c", id="equals sign"),
        pytest.param(["nonsense", "=x"], "/shop/", None, id="no cookie"),
        pytest.param(["a=1; Domain=other.example"], "/shop/", None, id="other host"),
        pytest.param(["a=1; Domain=tea.example"], "/shop/", "a=1", id="domain"),
        pytest.param(["a=1; Domain=.tea.example"], "/shop/", "a=1", id="dot"),
        pytest.param(["a=1; Domain=example"], "/shop/", None, id="public suffix"),
        pytest.param(["a=1; Domain=a.b.tea.example"], "/shop/", None, id="below"),
    ],
)
def test_kept(lines, path, header):
    """Cookies are kept and sent as RFC 6265 says."""
    jar = Jar()
    jar.keep(lines, "http://shop.tea.example:8080/shop/login?next=/a/b/c")
    assert header == jar.header(f"http://shop.tea.example:8080{path}")


@pytest.mark.parametrize(
    ("origin", "always", "sent"),
    [
        pytest.param("http://shop.example", False, False, id="HTTP"),
        pytest.param("https://shop.example", False, True, id="TLS"),
        pytest.param("http://127.0.0.1:8080", False, True, id="this machine"),
        pytest.param("http://[::1]", False, True, id="this machine by IPv6"),
        pytest.param("http://localhost:8080", False, True, id="localhost"),
        pytest.param("http://10.0.0.1", False, False, id="address"),
        pytest.param("http://shop.example", True, True, id="always"),
    ],
)
def test_secure(origin, always, sent):
    """A Secure cookie is sent only over TLS, and its absence can be explained."""
    jar = Jar(always=always)
    jar.keep(["a=1; Secure", "b=2"], f"{origin}/")
    header = jar.header(f"{origin}/")
    assert ("a=1; b=2" if sent else "b=2", [] if sent else ["a"]) == (
        header,
        jar.withheld,
    )


def test_large_cookie():
    """A cookie that no client must keep is reported."""
    with raises(NoAnswer, Code.COOKIE_SIZE, "4096"):
        Jar().keep([f"a={'x' * LARGEST}"], "http://shop.example/")
