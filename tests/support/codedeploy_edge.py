"""A local HTTP server that takes reports as CodeDeploy does, and keeps them.

It knows one deployment, whatever its id, and tells of nothing else.
"""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support.answering import answering


class Edge(ThreadingHTTPServer):
    """Keeps every call in ``calls``, but for looks at the deployment."""

    daemon_threads = True

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), _Handler)
        self.calls: queue.Queue[dict[str, Any]] = queue.Queue()
        self.deployment: dict[str, str] = {
            "applicationName": "shop",
            "deploymentGroupName": "shop-blue-green",
        }

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"http://{self.server_address[0]!s}:{self.server_port}"

    @property
    def environ(self) -> dict[str, str]:
        """The environment that leads boto3 here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }


class _Handler(BaseHTTPRequestHandler):
    server: Edge

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        call = json.loads(self.rfile.read(length))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        answer = b"{}"
        if operation == "GetDeployment":
            answer = json.dumps({"deploymentInfo": self.server.deployment}).encode()
        else:
            self.server.calls.put({"operation": operation, **call})
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Say nothing on standard error."""


@contextmanager
def codedeploy_edge(host: str = "127.0.0.1") -> Iterator[Edge]:
    """A server that runs while the block does."""
    with answering(Edge(host)) as server:
        yield server
