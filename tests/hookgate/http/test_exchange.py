"""Who gave a response, and whether its body is complete."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest

from hookgate.errors import NotGreen
from hookgate.http.exchange import (
    BodyError,
    Decoder,
    IdentityCheck,
    TooLarge,
    demand_green,
    final_fields,
)

GREEN = ("X-App-Version", "v2")
OK = b"HTTP/1.1 200 OK\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\n"
V1, V2 = b"X-App-Version: v1\r\n", b"X-App-Version: v2\r\n"
END = b"\r\n"
UNIDENTIFIED = "an unidentified server (no header X-App-Version)"


@pytest.mark.parametrize(
    ("head", "who"),
    [
        pytest.param([OK, V2, END], "", id="as written"),
        pytest.param([OK, b"x-app-version: v2\r\n", END], "", id="as in HTTP/2"),
        pytest.param([OK, b"X-APP-VERSION:v2  \r\n", END], "", id="oddly spelt"),
        pytest.param([OK, V1, END], "'v1'", id="the original"),
        pytest.param([OK, b"X-App-Version: v2.1\r\n", END], "'v2.1'", id="a prefix"),
        pytest.param([OK, V1, V2, END], "'v1', 'v2'", id="original, then green"),
        pytest.param([OK, V2, V1, END], "'v2', 'v1'", id="green, then original"),
        pytest.param(
            [OK, V2, b"x-app-version: v1\r\n", END], "'v2', 'v1'", id="other case"
        ),
        pytest.param([OK, V2, V2, END], "'v2', 'v2'", id="twice"),
        pytest.param([OK, V2, b" v1\r\n", END], "'v2 v1'", id="folded"),
        pytest.param([HINTS, V2, END, OK, END], UNIDENTIFIED, id="in a 103 alone"),
        pytest.param([HINTS, V2, END, OK, V1, END], "'v1'", id="in a 103, other after"),
        pytest.param([HINTS, V1, END, OK, V2, END], "", id="after a 103"),
        pytest.param([OK, END, V2], UNIDENTIFIED, id="in a trailer"),
        pytest.param([OK, END, V2, END], UNIDENTIFIED, id="in an ended trailer"),
        pytest.param([OK, V2, END, V1, END], "", id="another in a trailer"),
        pytest.param([OK, b"Server: nginx\r\n", END], UNIDENTIFIED, id="none"),
        pytest.param(
            [OK, b"Server: awselb/2.0\r\n", END],
            "the load balancer itself (no header X-App-Version)",
            id="the load balancer",
        ),
        pytest.param([], UNIDENTIFIED, id="no head"),
    ],
)
def test_identity(head, who):
    """Exactly one header of the final response, with the very value, identifies."""
    check = IdentityCheck.of(GREEN, wanted=True)
    assert check
    assert who == check.unexpected(head)
    if not who:
        demand_green(final_fields(head), GREEN)
        return
    with pytest.raises(NotGreen) as refused:
        demand_green(final_fields(head), GREEN)
    assert f"answered by {who}, not by" in str(refused.value)


@pytest.mark.parametrize(
    ("head", "who"),
    [([OK, V1, END], ""), ([OK, V2, END], "v2"), ([OK, V1, V2, END], "v2")],
    ids=["original", "replacement", "both"],
)
def test_baseline(head, who):
    """At the baseline the replacement is unexpected."""
    check = IdentityCheck.of(GREEN, wanted=False)
    assert check
    assert who == check.unexpected(head)


def test_without_identity():
    """A plan without an identity checks none."""
    assert IdentityCheck.of(None, wanted=True) is None


TEXT = b"tea " * 500
_RAW = zlib.compressobj(wbits=-15)
RAW = _RAW.compress(TEXT) + _RAW.flush()
BODIES = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]),
    "deflate": zlib.compress(TEXT),
    "Deflate": RAW,
    "br": brotli.compress(TEXT),
    "identity": TEXT,
    "deflate, gzip": gzip.compress(zlib.compress(TEXT)),
}


def decoded(encoding: str, body: bytes, size: int, most: int = 10_000) -> bytes:
    """A body that comes in pieces of a size."""
    decoder = Decoder.of([("content-encoding", encoding)], most)
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    found = b"".join([decoder.take(each) for each in pieces])
    decoder.end()
    return found


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("encoding", BODIES)
def test_complete_body(encoding, size):
    """However it is cut, a complete body is decoded."""
    assert decoded(encoding, BODIES[encoding], size) == TEXT


@pytest.mark.parametrize("encoding", [each for each in BODIES if each != "identity"])
def test_truncated_body(encoding):
    """A body without its last byte is none."""
    with pytest.raises(BodyError, match="truncated"):
        decoded(encoding, BODIES[encoding][:-1], 7)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("deflate", BODIES["gzip"], id="gzip as deflate"),
        pytest.param("gzip", BODIES["deflate"], id="deflate as gzip"),
        pytest.param("br", BODIES["gzip"], id="gzip as br"),
        pytest.param("gzip", TEXT, id="text as gzip"),
        pytest.param("gzip", BODIES["gzip"] + b"tea", id="bytes after the end"),
        pytest.param("deflate", BODIES["deflate"] + b"tea", id="bytes after deflate"),
        pytest.param("gzip", BODIES["gzip"][:-8] + bytes(8), id="wrong checksum"),
        pytest.param("zstd", TEXT, id="not supported"),
        pytest.param("gzip, gzip, gzip, gzip", TEXT, id="too many"),
    ],
)
def test_body_in_another_encoding(encoding, body):
    """A body that is does not match its Content-Encoding is none."""
    with pytest.raises(BodyError):
        decoded(encoding, body, 7)


def test_empty_body():
    """A response to HEAD names an encoding and has no body."""
    assert decoded("gzip", b"", 1) == b""


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity"])
def test_largest_body(encoding):
    """The bound holds after decoding, to the byte."""
    assert decoded(encoding, BODIES[encoding], 50, len(TEXT)) == TEXT
    with pytest.raises(TooLarge):
        decoded(encoding, BODIES[encoding], 50, len(TEXT) - 1)
