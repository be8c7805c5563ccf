"""A ``World`` behind a real HTTP port, for boto3 as the shipped handlers use it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from botocore import xform_name
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from hookgate.errors import CannotMeasure
from support.answering import answer_brokenly, answering
from support.world import World

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([a-z0-9-]+)/aws4_request")
_NAMES = {"elasticloadbalancing": "elbv2"}
REPORT = "PutLifecycleEventHookExecutionStatus"
_MEMBER = re.compile(r"(\w+)\.member\.\d+")


class WorldServer(ThreadingHTTPServer):
    """Serves one world; ``reports`` lists the statuses that it received."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, world: World) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.world = world
        self.reports: list[str] = []

    @property
    def environ(self) -> dict[str, str]:
        """The environment that leads boto3 here."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.server_port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }

    def answer(self, service: str, operation: str, asked: dict[str, Any]) -> Any:
        """The world's answer; a report is kept, whatever the world says to it."""
        if operation == REPORT:
            self.reports.append(asked["status"])
        return self.world(service, xform_name(operation), **asked)


class _Handler(BaseHTTPRequestHandler):
    server: WorldServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        scope = _SCOPE.search(self.headers["Authorization"])
        assert scope is not None
        service = _NAMES.get(scope[1], scope[1])
        operation, asked = _asked(self.headers, body)
        model = get_service_model(service).operation_model(operation)
        try:
            answer = self.server.answer(service, operation, asked)
        except CannotMeasure as error:
            refused = error.__cause__.response["Error"]  # type: ignore[union-attr] # a ClientError
            error_body = {"__type": refused["Code"], "message": refused["Message"]}
            self._answer(operation, 400, json.dumps(error_body).encode())
            return
        serializer = get_serializer_class(
            service, model.service_model.resolved_protocol
        )
        reply = serializer(model).serialize(answer)
        self._answer(operation, reply["status_code"], reply["body"].encode())

    def _answer(self, operation: str, status: int, body: bytes) -> None:
        if operation == REPORT and self.server.world.broken:
            answer_brokenly(self, self.server.world.broken)
        else:
            self._send(status, body)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing on standard error."""


def _asked(headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, Any]]:
    """The operation and its parameters, from JSON or from a form."""
    if "X-Amz-Target" in headers:
        return headers["X-Amz-Target"].rpartition(".")[2], json.loads(body)
    asked: dict[str, Any] = {}
    for key, value in parse_qsl(body.decode()):
        member = _MEMBER.fullmatch(key)
        if member:
            asked.setdefault(member[1], []).append(value)
        else:
            asked[key] = value
    operation = asked.pop("Action")
    asked.pop("Version")
    return operation, asked


@contextmanager
def world_server(world: World) -> Iterator[WorldServer]:
    """A server that runs while the block does."""
    with answering(WorldServer(world)) as server:
        yield server
