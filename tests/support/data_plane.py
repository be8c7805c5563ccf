"""Targets that are real, clients that are raw, and a patient eye."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

from hookgate_rehearsal.data_plane.plane import DataPlane
from hookgate_rehearsal.data_plane.settings import (
    Action,
    Forward,
    HealthCheck,
    ListenerSettings,
    Protocol,
    Target,
    TargetGroupSettings,
)
from hookgate_rehearsal.data_plane.target_group import TargetState

#: Seconds that a test waits for a result; it never takes that long.
TIMEOUT = 60.0
#: Checks that are soon repeated, so that a test need not wait.
QUICK = HealthCheck(
    path="/health", interval=0.05, healthy_threshold=2, unhealthy_threshold=2
)


def eventually(holds: Callable[[], object], what: str = "it") -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + TIMEOUT
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < deadline, f"{what} was never satisfied"
        pause.wait(0.005)


class EchoTarget:
    """A well-behaved HTTP/1.1 server that says who it is and what it was asked."""

    def __init__(self, name: str = "blue", context=None) -> None:
        self.name = name
        self.health = 200
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        """While it is clear, ``/wait`` is not answered."""
        self._server = _Server(("127.0.0.1", 0), _Echo)
        self._server.target = self
        if context:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True
            )
        self.target = Target(id="127.0.0.1", port=self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128
    target: EchoTarget

    def __init__(self, *args) -> None:
        self.connections: set[socket.socket] = set()
        super().__init__(*args)

    def hang_up(self) -> None:
        for connection in tuple(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address) -> None:
        """A client that went away is no news."""


class _Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        target = self.server.target
        target.asked.append(self.path)
        if self.path == "/health":
            self.answer(target.health, b"")
            return
        if self.path == "/wait":
            target.gate.wait()
        length = int(self.headers.get("Content-Length", 0))
        text = {
            "name": target.name,
            "method": self.command,
            "path": self.path,
            "headers": self.headers.items(),
            "body": self.rfile.read(length).decode("latin-1"),
        }
        self.answer(200, json.dumps(text).encode())

    do_HEAD = do_GET  # noqa: N815 - http.server's name
    do_POST = do_GET  # noqa: N815 - as above

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args) -> None: ...


def reset(sock: socket.socket) -> None:
    """Let the socket's end be RST."""
    linger = struct.pack("ii", 1, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


class Visitor:
    """The target's end of one connection."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock = sock
        self.number = number
        self.file = sock.makefile("rb")

    def head(self) -> bytes:
        """The next request's head; empty once the client has gone."""
        out = b""
        while not out.endswith(b"\r\n\r\n"):
            line = self.file.readline()
            if not line:
                return b""
            out += line
        return out

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.sock.sendall(data)

    def until_gone(self) -> bytes:
        with contextlib.suppress(OSError):
            return self.file.read()
        return b""

    def reset(self) -> None:
        reset(self.sock)
        self.file.close()
        self.sock.close()


@contextlib.contextmanager
def scripted(script: Callable[[Visitor], None]) -> Iterator[Target]:
    """A target that runs a script on every connection, then closes it."""
    server = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    socks: list[socket.socket] = []

    def run(sock: socket.socket, number: int) -> None:
        with sock:
            visitor = Visitor(sock, number)
            with visitor.file, contextlib.suppress(ConnectionError):
                script(visitor)
                # Closing with something unread would be a reset.
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = server.accept()
                args = (sock, len(threads))
                socks.append(sock)
                threads.append(threading.Thread(target=run, args=args))
                threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield Target(id="127.0.0.1", port=server.getsockname()[1])
    finally:
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        acceptor.join()
        for sock in socks:  # anyone who still waits for a request
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RD)
        for thread in threads:
            thread.join(TIMEOUT)


def closed_target() -> Target:
    """A target whose port is closed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return Target(id="127.0.0.1", port=server.getsockname()[1])


def group(plane: DataPlane, arn: str, *targets: Target, **settings) -> str:
    """Add a target group with targets, and return its ARN."""
    settings = {"health_check": QUICK, "deregistration_delay": 0.0} | settings
    plane.put_target_group(TargetGroupSettings(arn=arn, **settings))
    for target in targets:
        plane.register(arn, target)
    return arn


def listener(action: Action | str, **settings) -> ListenerSettings:
    """A listener's settings; an ARN stands for forwarding to it."""
    if isinstance(action, str):
        action = Forward(weights={action: 1})
    settings = {"arn": "listener", "protocol": Protocol.HTTP} | settings
    return ListenerSettings(default_action=action, **settings)


def serve(plane: DataPlane, target: Target, **settings) -> int:
    """Forward to one target, and return the listener's port.

    Its health is asked by a mere connection, which no script takes for a request.
    """
    check = HealthCheck(protocol=Protocol.TCP, interval=3600)
    group(plane, "group", target, health_check=check)
    return plane.put_listener(listener("group", **settings))


def states(plane: DataPlane, arn: str) -> list[TargetState]:
    return [health.state for health in plane.health(arn)]


def all_healthy(plane: DataPlane, arn: str) -> None:
    """Wait until every target of a group is healthy."""
    eventually(lambda: {TargetState.HEALTHY} == set(states(plane, arn)), "healthy")


def get(port: int, path: str = "/", method: str = "GET", body=None, **headers):
    """Ask over a fresh connection: the answer and its body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read()


def who(port: int, path: str = "/") -> str:
    """Which target answers."""
    return json.loads(get(port, path)[1])["name"]


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)


def raw(port: int, data: bytes, *, half_close: bool = False) -> bytes:
    """Send bytes, and read until the other side closes."""
    with connect(port) as sock:
        sock.sendall(data)
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        out = b""
        while piece := sock.recv(65536):
            out += piece
        return out
