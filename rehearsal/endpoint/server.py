"""The HTTP server of the endpoint; when it closes, so do its connections."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any

CLOSING = 10.0  # seconds; what still runs then ends with the process


class EndpointServer:
    """Serves a WSGI application on one port, a thread for each connection.

    Args:
        application: The WSGI application.
        port: The port; 0 lets the kernel choose.
        host: The address to listen on.
    """

    def __init__(
        self, application: Any, port: int = 0, host: str = "127.0.0.1"
    ) -> None:
        self._host = host
        self._server = _server(application, host, port)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="endpoint",
            daemon=True,
        )

    @property
    def url(self) -> str:
        """What clients take as ``AWS_ENDPOINT_URL``."""
        return f"http://{self._host}:{self._server.server_port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering, close every connection and wait for their threads."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.close_connections()


def _server(application: Any, host: str, port: int) -> Any:
    """Made in a function, since werkzeug and moto are slow to import."""
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - slow to import
        MotoRequestHandler,
    )
    from werkzeug.serving import ThreadedWSGIServer  # noqa: PLC0415 - as above

    class Handler(MotoRequestHandler):
        disable_nagle_algorithm = True  # or headers wait for the client's ACK

        def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
            """Write nothing: the emulator has its own log."""

    class Server(ThreadedWSGIServer):
        # Werkzeug closes the server at the end of serve_forever(). To wait there for
        # every client's thread would be to wait for a client that says nothing.
        daemon_threads = True
        block_on_close = False

        def __init__(self) -> None:
            self._clients: dict[socket.socket, threading.Thread] = {}
            self._lock = threading.Lock()
            super().__init__(host, port, application, handler=Handler)

        def process_request(self, request: Any, client_address: Any) -> None:
            thread = threading.Thread(
                target=self.process_request_thread,
                args=(request, client_address),
                name="endpoint-client",
                daemon=True,
            )
            with self._lock:
                self._clients[request] = thread
            thread.start()

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            super().process_request_thread(request, client_address)
            with self._lock:
                del self._clients[request]

        def close_connections(self) -> None:
            """Let go of every client, and wait a while for the threads."""
            with self._lock:
                clients = tuple(self._clients.items())
            for connection, _ in clients:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            give_up = time.monotonic() + CLOSING
            for _, thread in clients:
                thread.join(max(0.0, give_up - time.monotonic()))

    return Server()
