"""Authentication: basic, bearer, and client credentials from the same listener."""

from __future__ import annotations

import base64

import pytest
from support.coded import raises

from hookgate.errors import NoAnswer
from hookgate.files import FILLED
from hookgate.http.request import Auth, Request
from hookgate.redaction import Secrets, masked
from hookgate.testing import ScriptedClient, VirtualClock, a_reply

OAUTH2 = {
    "oauth2": {
        "token_path": "/oauth/token",
        "client_id": "gate:1",
        "client_secret": "s3cret/word",
        "scopes": ["read", "write"],
        "parameters": {"audience": "shop"},
    }
}


def authorization(given, *replies):
    """The Authorization of a request, and what the listener was asked before."""
    probe = ScriptedClient(VirtualClock(), replies)
    auth = Auth.model_validate(given, context=FILLED)
    request = auth.authorized(Request(path="/a"), probe)
    return request.headers.get("Authorization"), probe.requests


def test_basic():
    """A name and a password go as RFC 7617 has it."""
    expected = "Basic " + base64.b64encode("gate:päss:word".encode()).decode()
    given = {"basic": {"username": "gate", "password": "päss:word"}}
    assert (expected, []) == authorization(given)


def test_bearer():
    """A token is sent unchanged."""
    assert ("Bearer abc", []) == authorization({"bearer": "abc"})


def test_client_credentials():
    """The token endpoint is asked on the same listener, and its token used."""
    header, asked = authorization(OAUTH2, a_reply(200, '{"access_token": "t0ken"}'))
    own = base64.b64encode(b"gate%3A1:s3cret%2Fword").decode()

    assert "Bearer t0ken" == header
    assert ("POST", "/oauth/token") == (asked[0].method, asked[0].path)
    assert f"Basic {own}" == asked[0].headers["Authorization"]
    assert (
        b"grant_type=client_credentials&audience=shop&scope=read+write" == asked[0].body
    )


@pytest.mark.parametrize(
    ("reply", "name"),
    [
        pytest.param(a_reply(401, "no"), "401", id="refused"),
        pytest.param(a_reply(200, "<html>"), "JSON", id="no JSON"),
        pytest.param(a_reply(200, "[" * 99_999), "JSON", id="deep JSON"),
        pytest.param(a_reply(200, "[]"), "access_token", id="no object"),
        pytest.param(a_reply(200, '{"access_token": 5}'), "access_token", id="number"),
    ],
)
def test_no_token(reply, name):
    """Without a token there is no answer, and the reason repeats no body."""
    with raises(NoAnswer, "HG-AUTH", "/oauth/token", name):
        authorization(OAUTH2, reply)


def test_token_is_masked():
    """A token that was got on the way appears nowhere, as any secret."""
    secrets = Secrets(str)
    secrets.mask_this_thread()
    authorization(OAUTH2, a_reply(200, '{"access_token": "t0ken-of-the-day"}'))

    assert "got «secret»" == masked("got t0ken-of-the-day")
    Secrets(str).mask_this_thread()


def test_basic_with_a_short_password_is_masked():
    """The credentials appear nowhere, although the password alone is too short."""
    secrets = Secrets(str)
    secrets.mask_this_thread()
    header, _ = authorization({"basic": {"username": "gate", "password": "pw"}})

    assert "got Basic «secret»" == masked(f"got {header}")
    Secrets(str).mask_this_thread()


def test_password_inside_base64_is_masked():
    """A listener that repeats the Authorization header reveals nothing either."""
    secrets = Secrets(str)
    secrets.reveal("hunter2-hunter2")
    for name in ("a", "ab", "abc", "gate"):
        pair = f"{name}:hunter2-hunter2".encode()
        shown = secrets.mask(base64.b64encode(pair).decode())
        assert "«secret»" in shown
        assert b"hunter2" not in base64.b64decode(shown.partition("«")[0] + "===")
