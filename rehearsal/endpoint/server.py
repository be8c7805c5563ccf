"""The HTTP server of the endpoint; when it closes, so do its connections."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any


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
        """Stop answering, close every connection and wait for every thread."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.close_connections()
        self._server.server_close()


def _server(application: Any, host: str, port: int) -> Any:
    """Made in a function, since werkzeug and moto are slow to import."""
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - slow to import
        MotoRequestHandler,
    )
    from werkzeug.serving import ThreadedWSGIServer  # noqa: PLC0415 - as above

    class Handler(MotoRequestHandler):
        disable_nagle_algorithm = True  # or headers wait for the client's ACK

        def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
            """Write nothing: the stage has its own log."""

    class Server(ThreadedWSGIServer):
        daemon_threads = False  # server_close() then waits for them

        def __init__(self) -> None:
            self._connections: set[socket.socket] = set()
            self._lock = threading.Lock()
            super().__init__(host, port, application, handler=Handler)

        def process_request(self, request: Any, client_address: Any) -> None:
            with self._lock:
                self._connections.add(request)
            super().process_request(request, client_address)

        def shutdown_request(self, request: Any) -> None:
            with self._lock:
                self._connections.discard(request)
            super().shutdown_request(request)

        def close_connections(self) -> None:
            """Let go of clients that keep their connections open."""
            with self._lock:
                connections = tuple(self._connections)
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    return Server()
