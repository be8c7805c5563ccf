"""Real listeners, and the tool that sends load to them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from hookgate.context import Endpoint
from hookgate.deadline import Deadline
from hookgate.http.address import system_resolver
from hookgate.traffic.options import Load, Ramp, RequestTemplate, Schedule
from hookgate.traffic.tool import TrafficTool
from support.listeners import Peer, Script, policy


def serving(*headers: str, body: bytes = b"hello", status: str = "200 OK") -> Script:
    """A script that sends the same response to every request."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    response = "\r\n".join(lines).encode() + body
    return responding(lambda _peer, _request: response)


def responding(respond: Callable[[Peer, bytes], bytes]) -> Script:
    """A script that sends what ``respond`` returns; nothing closes the connection."""

    def run(peer: Peer) -> None:
        while request := read(peer):
            response = respond(peer, request)
            if not response:
                return
            peer.send(response)

    return run


_LOCK = threading.Lock()


def read(peer: Peer) -> bytes:
    """One request with its body; empty if the client has disconnected."""
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


def listener_at(port: int, **fields: Any) -> Endpoint:
    """A listener on this machine."""
    return Endpoint(port=port, **{"scheme": "http", "address": "127.0.0.1", **fields})


def tool(
    test: Endpoint | int | str,
    production: Endpoint | int | str = "none",
    *,
    seconds: float = 60,
    resolver: Any = system_resolver,
    **options: Any,
) -> TrafficTool:
    """The tool for listeners at these ports, with a deadline in seconds."""
    test, production = (
        listener_at(each) if isinstance(each, int) else each
        for each in (test, production)
    )
    return TrafficTool(
        test=test,
        production=production,
        deadline=Deadline.after(seconds),
        policy=policy(resolver),
        **options,
    )


def load(
    requests: int = 20, *, rate: float = 200, warm: int = 0, **options: Any
) -> Load:
    """This number of requests to ``/``, after ``warm`` uncounted ones."""
    ramp = Ramp(rate=rate, to=rate, seconds=requests / rate)
    templates = options.pop("templates", (RequestTemplate(name="home"),))
    schedule = Schedule(ramps=(ramp,), warm_up=warm / rate)
    return Load(templates=templates, schedule=schedule, **options)


def never(_result: object) -> bool:
    """The outcome is not certain before the end."""
    return False
