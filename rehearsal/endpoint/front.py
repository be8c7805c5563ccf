"""The WSGI application of the endpoint: one handler for each AWS service."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from hookgate_rehearsal.endpoint.moto_state import MotoState, authorization
from hookgate_rehearsal.endpoint.protocols import AwsRequest, Reply, error_reply

SCOPE = re.compile(r"Credential=[^/]*/\d*/(?P<region>[^/]*)/(?P<service>[^/]*)/")
BY_TARGET = {
    "CodeDeploy_20141006": "codedeploy",
    "AmazonEC2ContainerServiceV20141113": "ecs",
}
CONFIRMATION = "Action=ConfirmSubscription&"
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
        service = self._service(environ)
        handler = self._handlers.get(service)
        confirms = not service and CONFIRMATION in environ.get("QUERY_STRING", "")
        if confirms:  # a subscriber follows SubscribeURL, without credentials
            handler = self._handlers["sns"]
        if handler is None:
            return self._moto(environ, start_response)  # type: ignore[no-any-return]
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
                    if confirms
                    else body,
                    moto=partial(self._moto_reply, environ),
                )
            )
        if reply is None:
            return self._moto(environ, start_response)  # type: ignore[no-any-return]
        reason = HTTPStatus(reply.status).phrase
        headers = {**reply.headers, "Content-Length": str(len(reply.body))}
        start_response(f"{reply.status} {reason}", list(headers.items()))
        return [reply.body]

    def _service(self, environ: Environ) -> str:
        """Find the service, and sign the request for the emulator's region."""
        scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        prefix = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")[0]
        service = BY_TARGET.get(prefix) or (scope["service"] if scope else "")
        if service:
            environ["HTTP_AUTHORIZATION"] = authorization(service, self._region)
        return service

    def _moto_reply(self, environ: Environ) -> Reply:
        from werkzeug.test import (  # noqa: PLC0415 - only an emulator needs it
            run_wsgi_app,
        )

        chunks, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
        return Reply(
            status=int(status.split()[0]),
            body=b"".join(chunks),
            headers=dict(headers.items()),
        )
