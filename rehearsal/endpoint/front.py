"""The HTTP server of the endpoint, with one handler for each AWS service."""

from __future__ import annotations

import contextlib
import io
import logging
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
    Refusal,
    Reply,
    form_of,
    refusal,
)

SCOPE = re.compile(r"Credential=[^/]*/\d*/(?P<region>[^/]*)/(?P<service>[^/]*)/")
BY_TARGET = {
    "CodeDeploy_20141006": "codedeploy",
    "AmazonEC2ContainerServiceV20141113": "ecs",
}
CONFIRMATION = "ConfirmSubscription"
CLOSE_TIMEOUT = 10.0  # seconds; what still runs then ends with the process
FORM = "application/x-www-form-urlencoded"
MAX_BODY = 64 * 1024 * 1024  # bytes; far above what a rehearsal sends

_LOGGER = logging.getLogger(__name__)

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
        try:
            reply = self._reply(environ)
        except Exception as error:
            _LOGGER.exception("the endpoint: %s", environ["PATH_INFO"])
            message = f"The emulator has a defect: {error!r}"
            defect = Refusal(code="InternalFailure", message=message, status=500)
            reply = refusal(environ, defect)
        # To a HEAD request, moto says the length that a GET would get.
        headers = {"Content-Length": str(len(reply.body)), **reply.headers}
        phrase = HTTPStatus(reply.status).phrase
        start_response(f"{reply.status} {phrase}", list(headers.items()))
        return [reply.body]

    def _reply(self, environ: Environ) -> Reply:
        confirmation = confirms(environ)
        handler = self._handlers.get("sns" if confirmation else _service(environ))
        try:
            body = _body(environ)
        except (OSError, ValueError) as error:
            return refusal(environ, _malformed(f"The body is not readable: {error}"))
        if len(body) > MAX_BODY:
            message = f"The body of a request is at most {MAX_BODY} bytes."
            return refusal(environ, _malformed(message, 413))
        reply: Reply | None = None
        if handler is not None:
            query = environ["QUERY_STRING"].encode("latin-1")
            reply = handler(
                AwsRequest(
                    method=environ["REQUEST_METHOD"],
                    path=environ["PATH_INFO"],
                    target=environ.get("HTTP_X_AMZ_TARGET", ""),
                    invocation_type=environ.get("HTTP_X_AMZ_INVOCATION_TYPE", ""),
                    body=query if confirmation else body,
                    moto=partial(self._moto_reply, environ, body),
                )
            )
        return self._moto_reply(environ, body) if reply is None else reply

    def _from_moto(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Sign the request for the emulator's region and pass it to moto."""
        service = _service(environ)
        if service:
            environ["HTTP_AUTHORIZATION"] = authorization(service, self._region)
        return self._moto(environ, start_response)  # type: ignore[no-any-return]

    def _moto_reply(self, environ: Environ, body: bytes) -> Reply:
        """Moto's response; what moto cannot do is an error in AWS's form."""
        from werkzeug.test import (  # noqa: PLC0415 - only an emulator needs it
            run_wsgi_app,
        )

        environ["wsgi.input"] = io.BytesIO(body)
        what = _operation(environ, body)
        if environ["PATH_INFO"].startswith("/moto-api"):
            return refusal(environ, _not_implemented(f"{what} (the API of moto)"))
        try:
            chunks, status, headers = run_wsgi_app(
                self._from_moto, environ, buffered=True
            )
        except Exception as error:
            _LOGGER.exception("moto: %s", what)
            details = "" if isinstance(error, NotImplementedError) else f": {error!r}"
            return refusal(environ, _not_implemented(f"{what}{details}"))
        reply = Reply(
            status=int(status.split()[0]),
            body=b"".join(chunks),
            headers=dict(headers.items()),
        )
        is_html = reply.headers.get("Content-Type", "").startswith("text/html")
        if is_html and reply.status >= 400 and b"<html" in reply.body[:100]:
            return refusal(environ, _not_implemented(what))
        return reply


def _not_implemented(what: str) -> Refusal:
    """An error that clients do not retry, unlike a 500."""
    message = f"The emulator does not implement {what}"
    return Refusal(code="NotImplemented", message=message, status=501)


def _operation(environ: Environ, body: bytes) -> str:
    """What a request asks for, for messages: the service and the operation."""
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    if not operation and environ.get("CONTENT_TYPE", "").startswith(FORM):
        operation = form_of(body).get("Action", "")
    return " ".join(
        (
            _service(environ) or "a request without a service",
            operation or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}",
        )
    )


def _malformed(message: str, status: int = 400) -> Refusal:
    return Refusal(code="Serialization", message=message, status=status)


def _body(environ: Environ) -> bytes:
    """The request's body, up to one byte more than it may have.

    Raises:
        OSError: The chunks of the body are malformed.
        ValueError: The length is not one.
    """
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):  # chunked
        stream, size = io.BufferedReader(stream), MAX_BODY + 1
    else:
        size = min(int(environ.get("CONTENT_LENGTH") or 0), MAX_BODY + 1)
    if size < 0:
        raise ValueError(f"its length is {size}")
    body: bytes = stream.read(size)
    return body


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
