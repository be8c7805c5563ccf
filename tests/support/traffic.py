"""Listeners that are real, and the tool that loads them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from hookgate.context import Endpoint
from hookgate.deadline import Deadline
from hookgate.http.address import system_resolver
from hookgate.traffic.flight import Target
from hookgate.traffic.options import Load, Pace, Shot, Stage
from hookgate.traffic.tool import TrafficTool
from support.listeners import Peer, Script, policy


def serving(*headers: str, body: bytes = b"hello", status: str = "200 OK") -> Script:
    """A script that answers every request of a connection alike."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    answer = "\r\n".join(lines).encode() + body
    return answering(lambda _peer, _request: answer)


def answering(answer: Callable[[Peer, bytes], bytes]) -> Script:
    """A script that asks ``answer`` what to say to each request of a connection."""

    def play(peer: Peer) -> None:
        while request := read(peer):
            said = answer(peer, request)
            if not said:
                return
            peer.send(said)

    return play


_LOCK = threading.Lock()


def read(peer: Peer) -> bytes:
    """One request with its body; nothing when the client is gone."""
    request = b""
    while b"\r\n\r\n" not in request:
        piece = peer.sock.recv(65536)
        if not piece:
            return b""
        request += piece
    head, _, body = request.partition(b"\r\n\r\n")
    size = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            size = int(line.partition(b":")[2])
    while len(body) < size:
        body += peer.sock.recv(65536)
    with _LOCK:
        peer.listener.requests.append(head + b"\r\n\r\n" + body)
    return request


def target(port: int, **options: Any) -> Target:
    """A listener on this machine that may be loaded."""
    fields = {"scheme": "http", "address": "127.0.0.1", **options.pop("endpoint", {})}
    options["policy"] = policy(options.pop("resolver", system_resolver))
    return Target(endpoint=Endpoint(port=port, **fields), **options)


def tool(
    test: Target | str, production: Target | str = "none", seconds: float = 60
) -> TrafficTool:
    """The tool, with a generous deadline."""
    deadline = Deadline.after(seconds)
    return TrafficTool(test=test, production=production, deadline=deadline)


def load(
    requests: int = 20, *, rate: float = 200, warm: int = 0, **options: Any
) -> Load:
    """So many requests to ``/``."""
    stage = Stage(rate=rate, to=rate, seconds=requests / rate)
    shots = options.pop("shots", (Shot(name="home"),))
    pace = Pace(stages=(stage,), warm_up=warm / rate)
    return Load(shots=shots, pace=pace, **options)


def never(_result: object) -> bool:
    """Nothing is certain before the end."""
    return False
