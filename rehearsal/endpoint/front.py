"""The HTTP server of the endpoint, with one handler for each AWS service."""

from __future__ import annotations

import contextlib
import io
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from hookgate_rehearsal.endpoint.moto_state import MotoState, authorization
from hookgate_rehearsal.endpoint.protocols import (
    AwsRequest,
    Reply,
    error_reply,
    form_of,
)

SCOPE = re.compile(r"Credential=[^/]*/\d*/(?P<region>[^/]*)/(?P<service>[^/]*)/")
BY_TARGET = {
    "CodeDeploy_20141006": "codedeploy",
    "AmazonEC2ContainerServiceV20141113": "ecs",
}
CONFIRMATION = "ConfirmSubscription"
CLOSE_TIMEOUT = 10.0  # seconds; what still runs then ends with the process
MAX_BODY = 64 * 1024 * 1024  # bytes; far above what a rehearsal sends

Environ = dict[str, Any]
Handler = Callable[[AwsRequest], Reply | None]


class Front:
    """Dispatches requests to the handlers of services, or to moto.

    The region and the credentials of a client do not matter: the emulator has one
    region.

    Args:
        region: The emulator's region.
        moto: Answers every request that no handler answers.
    """

    def __init__(self, region: str, moto: MotoState) -> None:
        self._region = region
        self._moto = moto
        self._handlers: Mapping[str, Handler] = {}

    def open(self, handlers: Mapping[str, Handler]) -> None:
        """Set the handlers, before the first request.

        Args:
            handlers: By the service's signing name; one that returns None leaves the
                request to moto.
        """
        self._handlers = handlers

    def __call__(
        self, environ: Environ, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer as WSGI does."""
        service = _service(environ)
        handler = self._handlers.get(service)
        confirmation = confirms(environ)
        if confirmation:
            handler = self._handlers["sns"]
        if handler is None:
            return self._from_moto(environ, start_response)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        reply: Reply | None
        if length > MAX_BODY:
            message = f"the body of a request is at most {MAX_BODY} bytes"
            reply = error_reply("RequestEntityTooLarge", message, 413)
        else:
            body: bytes = environ["wsgi.input"].read(length)
            environ["wsgi.input"] = io.BytesIO(body)  # for moto
            reply = handler(
                AwsRequest(
                    method=environ["REQUEST_METHOD"],
                    path=environ["PATH_INFO"],
                    target=environ.get("HTTP_X_AMZ_TARGET", ""),
                    invocation_type=environ.get("HTTP_X_AMZ_INVOCATION_TYPE", ""),
                    body=environ["QUERY_STRING"].encode("latin-1")
                    if confirmation
                    else body,
                    moto=partial(self._moto_reply, environ),
                )
            )
        if reply is None:
            return self._from_moto(environ, start_response)
        reason = HTTPStatus(reply.status).phrase
        headers = {**reply.headers, "Content-Length": str(len(reply.body))}
        start_response(f"{reply.status} {reason}", list(headers.items()))
        return [reply.body]

    def _from_moto(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Sign the request for the emulator's region and pass it to moto."""
        service = _service(environ)
        if service:
            environ["HTTP_AUTHORIZATION"] = authorization(service, self._region)
        return self._moto(environ, start_response)  # type: ignore[no-any-return]

    def _moto_reply(self, environ: Environ) -> Reply:
        from werkzeug.test import (  # noqa: PLC0415 - only an emulator needs it
            run_wsgi_app,
        )

        chunks, status, headers = run_wsgi_app(self._from_moto, environ, buffered=True)
        return Reply(
            status=int(status.split()[0]),
            body=b"".join(chunks),
            headers=dict(headers.items()),
        )


def confirms(environ: Environ) -> bool:
    """Whether a subscriber follows SubscribeURL: with a token, without credentials."""
    query = environ.get("QUERY_STRING", "").encode("latin-1")
    return not _service(environ) and form_of(query).get("Action") == CONFIRMATION


def _service(environ: Environ) -> str:
    scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    prefix = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")[0]
    return BY_TARGET.get(prefix) or (scope["service"] if scope else "")


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
            give_up = time.monotonic() + CLOSE_TIMEOUT
            for _, thread in clients:
                thread.join(max(0.0, give_up - time.monotonic()))

    return Server()
