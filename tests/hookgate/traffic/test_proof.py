"""Who answered, from the lines of a head."""

from __future__ import annotations

import pytest

from hookgate.traffic.proof import Proof

GREEN = ("X-App-Version", "v2")


@pytest.mark.parametrize(
    ("line", "stranger"),
    [
        pytest.param(b"X-App-Version: v2\r\n", "", id="as written"),
        pytest.param(b"x-app-version: v2\r\n", "", id="as in HTTP/2"),
        pytest.param(b"X-APP-VERSION:v2  \r\n", "", id="oddly spelt"),
        pytest.param(b"X-App-Version: v1\r\n", "'v1'", id="the original"),
        pytest.param(b"X-App-Version: v2.1\r\n", "'v2.1'", id="begins alike"),
        pytest.param(
            b"Server: nginx\r\n", "nobody told (no header x-app-version)", id="none"
        ),
        pytest.param(b"X-App-Version: \xff\r\n", "'\ufffd'", id="no UTF-8"),
    ],
)
def test_wanted(line, stranger):
    """Only the very value proves the replacement."""
    proof = Proof.of(GREEN, wanted=True)
    assert stranger == proof.stranger([b"HTTP/1.1 200 OK\r\n", line, b"\r\n"])


@pytest.mark.parametrize(
    ("value", "stranger"), [("v1", ""), ("v2", "v2")], ids=["original", "replacement"]
)
def test_yardstick(value, stranger):
    """At the yardstick the replacement is the stranger."""
    proof = Proof.of(GREEN, wanted=False)
    assert stranger == proof.stranger([f"x-app-version: {value}\r\n".encode()])


def test_without_identity():
    """A plan without an identity proves nothing."""
    assert Proof.of(None, wanted=True) is None
