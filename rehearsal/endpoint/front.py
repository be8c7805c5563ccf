"""Sends each request to whoever answers for its service."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Protocol

from hookgate_rehearsal.endpoint.moto_state import MotoState, authorization
from hookgate_rehearsal.endpoint.protocols import JsonService, Reply, error_reply

SCOPE = re.compile(r"Credential=[^/]*/\d*/(?P<region>[^/]*)/(?P<service>[^/]*)/")
CODEDEPLOY = "CodeDeploy_20141006"
ECS = "AmazonEC2ContainerServiceV20141113"
CONFIRMATION = "Action=ConfirmSubscription&"
MAX_BODY = 64 * 1024 * 1024  # bytes; a bound, far above what a rehearsal sends

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class LoadBalancing(Protocol):
    """ELBv2: answers itself, or puts right what moto answered."""

    def answer(self, body: bytes) -> Reply | None:
        """Answer, or None."""
        ...

    def after(self, reply: Reply) -> Reply:
        """Put right."""
        ...


class Monitoring(Protocol):
    """CloudWatch: answers itself, or leaves it to moto."""

    def answer(self, target: str, path: str, body: bytes) -> Reply | None:
        """Answer, or None."""
        ...


class Topics(Protocol):
    """SNS: answers itself, or with moto's answer."""

    def answer(self, body: bytes, moto: Callable[[], Reply]) -> Reply:
        """Answer."""
        ...


class Functions(Protocol):
    """Lambda: answers itself, or leaves it to moto."""

    def answer(
        self, method: str, path: str, invocation_type: str, body: bytes
    ) -> Reply | None:
        """Answer, or None."""
        ...


class Front:
    """The one WSGI application of an emulator.

    Whatever region and credentials a client has, it is in the emulator's one region.

    Args:
        region: The emulator's region.
        moto: Answers for every service that nobody else does.
    """

    def __init__(self, region: str, moto: MotoState) -> None:
        self._region = region
        self._moto = moto

    def open(
        self,
        *,
        json_services: Mapping[str, JsonService],
        load_balancing: LoadBalancing,
        functions: Functions,
        monitoring: Monitoring,
        topics: Topics,
    ) -> None:
        """Say who answers, before the first request: they need the endpoint's URL.

        Args:
            json_services: By the prefix of ``X-Amz-Target``.
            load_balancing: Answers for ELBv2.
            functions: Answers for Lambda.
            monitoring: Answers for CloudWatch.
            topics: Answers for SNS.
        """
        self._json_services = json_services
        self._load_balancing = load_balancing
        self._functions = functions
        self._monitoring = monitoring
        self._topics = topics

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer as WSGI does."""
        service = self._place(environ)
        try:
            reply = self._reply(service, environ)
        except _TooLargeError:
            message = f"a request's body is at most {MAX_BODY} bytes here"
            reply = error_reply("RequestEntityTooLarge", message, 413)
        if reply is None:
            return self._moto(environ, start_response)  # type: ignore[no-any-return]
        return _answer(reply, start_response)

    def _place(self, environ: Environ) -> str:
        """Move the request to the emulator's region; say which service it is for."""
        scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        prefix = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")[0]
        by_target = {CODEDEPLOY: "codedeploy", ECS: "ecs"}.get(prefix)
        service = by_target or (scope["service"] if scope else "")
        if service:
            environ["HTTP_AUTHORIZATION"] = authorization(service, self._region)
        return service

    def _reply(self, service: str, environ: Environ) -> Reply | None:
        match service:
            case "codedeploy" | "ecs":
                prefix, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(
                    "."
                )
                chosen = self._json_services.get(prefix)
                if chosen is None:
                    message = f"{service} is spoken to in JSON 1.1, with X-Amz-Target."
                    return error_reply("UnknownOperationException", message)
                if service == "ecs" and not chosen.has(operation):
                    return None
                return chosen.answer(operation, _body(environ))
            case "elasticloadbalancing":
                body = _body(environ)
                reply = self._load_balancing.answer(body)
                return reply or self._load_balancing.after(self._moto_reply(environ))
            case "monitoring":
                target = environ.get("HTTP_X_AMZ_TARGET", "")
                path = environ["PATH_INFO"]
                return self._monitoring.answer(target, path, _body(environ))
            case "sns":
                return self._topics.answer(
                    _body(environ), lambda: self._moto_reply(environ)
                )
            case "" if CONFIRMATION in environ.get("QUERY_STRING", ""):
                # A subscriber follows SubscribeURL, without credentials.
                query = environ["QUERY_STRING"].encode("latin-1")
                return self._topics.answer(query, lambda: self._moto_reply(environ))
            case "lambda":
                invocation_type = environ.get("HTTP_X_AMZ_INVOCATION_TYPE", "")
                path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
                body = _body(environ)
                return self._functions.answer(method, path, invocation_type, body)
        return None

    def _moto_reply(self, environ: Environ) -> Reply:
        """Moto's answer, in one piece."""
        from werkzeug.test import run_wsgi_app  # noqa: PLC0415 - only an emulator needs it

        chunks, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
        return Reply(
            status=int(status.split()[0]),
            body=b"".join(chunks),
            headers=dict(headers.items()),
        )


class _TooLargeError(Exception):
    """The request is longer than an emulator takes."""


def _body(environ: Environ) -> bytes:
    """The request's body, which moto may then read again."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > MAX_BODY:
        raise _TooLargeError
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _answer(reply: Reply, start_response: StartResponse) -> Iterable[bytes]:
    reason = HTTPStatus(reply.status).phrase
    headers = {**reply.headers, "Content-Length": str(len(reply.body))}
    start_response(f"{reply.status} {reason}", list(headers.items()))
    return [reply.body]
