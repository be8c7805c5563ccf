"""Listeners that are real: raw sockets and TLS, one thread each."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hookgate.context import Endpoint
from hookgate.deadline import Deadline
from hookgate.http.address import AddressPolicy, Resolver, system_resolver
from hookgate.http.client import ListenerClient

Script = Callable[["Peer"], None]


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket, listener: Listener) -> None:
        self.sock = sock
        self.listener = listener
        self.over = listener.over

    def read_request(self) -> None:
        """Read the headers, and keep them before anything is answered."""
        request = b""
        while b"\r\n\r\n" not in request:
            piece = self.sock.recv(65536)
            if not piece:
                return
            request += piece
        self.listener.requests.append(request)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, data: bytes) -> None:
        """Send a byte at a time, until the client is gone."""
        while not self.over.wait(0.02):
            self.send(data[:1])
            data = data[1:] + data[:1]

    def flood(self, data: bytes) -> None:
        """Send without an end, until the client is gone."""
        while not self.over.is_set():
            self.send(data)

    def stall(self) -> None:
        """Send nothing, until the test is over."""
        self.over.wait()


class Listener:
    """A server that runs ``script`` on every connection."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.context = context
        self.over = threading.Event()
        self.requests: list[bytes] = []
        self.server_names: list[str | None] = []
        if context:
            context.sni_callback = self._sni
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _sni(self, _socket: object, name: str | None, _context: object) -> None:
        self.server_names.append(name)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted = self.socket.accept()[0]
                thread = threading.Thread(
                    target=self._serve, args=(accepted,), daemon=True
                )
                self.threads.append(thread)
                thread.start()

    def _serve(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(accepted):
            served = accepted
            if self.context:
                served = self.context.wrap_socket(accepted, server_side=True)
            with contextlib.closing(served):
                self.script(Peer(served, self))

    def close(self) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for thread in self.threads:
            thread.join(10)


def policy(resolver: Resolver = system_resolver) -> AddressPolicy:
    """A policy under which this machine's own listeners are connected to."""
    return replace(AddressPolicy.of_command(), resolver=resolver)


def probe(port: int, **options: Any) -> ListenerClient:
    """A probe of a listener on this machine, with a generous deadline.

    Endpoint's own fields go into ``endpoint``.
    """
    fields = {"scheme": "http", "address": "127.0.0.1", **options.pop("endpoint", {})}
    options.setdefault("deadline", Deadline.after(60))
    options["policy"] = policy(options.pop("resolver", system_resolver))
    return ListenerClient(Endpoint(port=port, **fields), **options)


def answer(body: bytes = b"hello", *headers: str, status: str = "200 OK") -> Script:
    """A script that sends this answer, with a Content-Length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]

    def run(peer: Peer) -> None:
        peer.read_request()
        peer.send("\r\n".join(lines).encode("latin-1") + body)

    return run


def says(data: bytes) -> Script:
    """A script that reads the request, sends ``data`` and closes."""

    def run(peer: Peer) -> None:
        peer.read_request()
        peer.send(data)

    return run
