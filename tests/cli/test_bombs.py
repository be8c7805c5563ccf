"""Answers made to exhaust the gate: refused in words, in bounded time and memory."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zlib
from contextlib import closing

import pytest
from support.command import HOOKGATE
from support.listeners import Listener, Peer

#: What the whole command may hold at most; each bomb alone would take more.
MOST_MEMORY = 256 * 2**20
ZEROS = 400_000_000
#: Runs a command; prints its exit code and its most memory in KiB. A process begins
#: with the most that the one it was forked from held: a test's may be anything.
WEIGH = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def _packed(kind: int) -> bytes:
    """``ZEROS`` zeros, packed piece by piece; 31 is gzip, 15 is zlib."""
    packer = zlib.compressobj(9, zlib.DEFLATED, kind)
    piece = bytes(2**20)
    packed = [packer.compress(piece) for _ in range(ZEROS // len(piece))]
    return b"".join([*packed, packer.flush()])


GZIP = _packed(31)
#: 16 MB of zeros by any Brotli compressor, in 14 bytes.
BROTLI = bytes.fromhex("9fff23f4f82700e2b1402077831e")
LAUGHS = "".join(
    f'<!ENTITY l{n} "{"&l" + str(n - 1) + ";" if n else "ha"}'
    f'{"&l" + str(n - 1) + ";" if n else "ha"}">'
    for n in range(60)
)
XML = f"<!DOCTYPE a [{LAUGHS}]><a>&l59;</a>".encode()
HTML = ["Content-Type: text/html"]
BODIES: dict[str, tuple[bytes, list[str]]] = {
    "/gzip": (GZIP, ["Content-Encoding: gzip"]),
    "/deflate": (_packed(15), ["Content-Encoding: deflate"]),
    "/brotli": (BROTLI, ["Content-Encoding: br"]),
    "/twice": (gzip.compress(GZIP), ["Content-Encoding: gzip, gzip"]),
    "/many": (b"a", ["Content-Encoding: " + ", ".join(["gzip"] * 40)]),
    "/deep": (b"[" * 900_000, []),
    "/deep-object": (b'{"a":' * 180_000, []),
    "/xml": (XML, ["Content-Type: application/xml"]),
    "/regex": (b"a" * 500_000 + b"!", HTML),
    "/circle": (b"", ["Location: /circle"]),
    "/foreign": (b"", ["Location: http://169.254.169.254/latest/"]),
    "/cookies": (b"", [f"Set-Cookie: c{n}={'x' * 4000}" for n in range(50)]),
    "/cookie": (b"", ["Set-Cookie: c=" + "x" * 200_000]),
    "/headers": (b"", [f"X-{n}: y" for n in range(5000)]),
    "/date": (b"", ["Set-Cookie: c=1; Expires=Sat, 99 Foo 999999999999 25:61:61 GMT"]),
}
FUTURE = {"filter": ["days_from_now"], "above": 1}
STEPS = {
    "/gzip": ({}, "body is larger than max_body, 1048576 bytes"),
    "/deflate": ({}, "body is larger than max_body, 1048576 bytes"),
    "/brotli": ({}, "body is larger than max_body, 1048576 bytes"),
    "/twice": ({}, "body is larger than max_body, 1048576 bytes"),
    "/many": ({}, "does not match its Content-Encoding"),
    "/deep": ({"expect": [{"jsonpath": "$..a", "equals": 1}]}, "JSON"),
    "/deep-object": ({"expect": [{"jsonpath": "$..a", "equals": 1}]}, "JSON"),
    "/xml": ({"expect": [{"xpath": "string(//a)", "equals": "x"}]}, "body at"),
    "/regex": ({"expect": [{"body": {"matches": "^(a+)+$"}}]}, "to match"),
    "/circle": ({"follow": 10}, "redirects form a loop: /circle, 302 to /circle"),
    "/foreign": ({"follow": 10}, "leads away from the listener"),
    "/cookies": ({"follow": 10}, "headers are larger than 48 KiB"),
    "/cookie": ({}, "headers are larger than 48 KiB"),
    "/headers": ({}, "more than 100 headers"),
    "/date": (
        {
            "expect": [
                {
                    "cookie": "c",
                    "attribute": "Expires",
                    "filter": ["days_from_now"],
                    "above": 1,
                }
            ]
        },
        "cookie c",
    ),
}


def _respond(peer: Peer) -> None:
    peer.read_request()
    path = peer.listener.requests[-1].split(b" ", 2)[1].decode()
    body, headers = BODIES[path]
    status = "302 Found" if any(e.startswith("Location") for e in headers) else "200 OK"
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    peer.send("\r\n".join(head).encode() + body)


@pytest.fixture(scope="module", name="judged")
def _judged(tmp_path_factory):
    """What the command reports of every bomb, and the most memory that it used."""
    folder = tmp_path_factory.mktemp("bombs")
    steps = [
        {"use": "http", "name": path[1:], "with": {"path": path, **options}}
        for path, (options, _) in STEPS.items()
    ]
    plan, record = folder / "plan.yaml", folder / "record.json"
    plan.write_text(json.dumps({"version": 1, "events": {EVENT: steps}}), "utf-8")
    with closing(Listener(_respond)) as listener:
        url = f"http://127.0.0.1:{listener.port}"
        call = [HOOKGATE, "run", EVENT, "--plan", plan, "--url", url, "--json", record]
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-I", "-S", "-c", WEIGH, *call],
            stdout=subprocess.PIPE,
            check=True,
        )
    code, kib = map(int, done.stdout.split())
    outcomes = json.loads(record.read_text("utf-8"))["outcomes"]
    by_name = {each["name"]: each for each in outcomes}
    return code, by_name, kib * 1024


EVENT = "AfterAllowTestTraffic"


@pytest.mark.parametrize("path", STEPS)
def test_bomb_is_a_finding(judged, path):
    """A bomb fails its step, and the reason says what it was."""
    outcome = judged[1][path[1:]]
    assert ("failed", True) == (
        outcome["status"],
        STEPS[path][1] in outcome["reason"],
    ), outcome["reason"]


def test_memory_is_bounded(judged):
    """All of them together took no more than a small part of what they unpack to."""
    assert MOST_MEMORY > judged[2]
    assert ZEROS > MOST_MEMORY


def test_verdict_is_failed(judged):
    """The command ends as of any other failure."""
    assert 1 == judged[0]
