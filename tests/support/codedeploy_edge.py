"""A local HTTP server that takes reports as CodeDeploy does, and keeps them.

It knows one deployment, whatever its id, and one status for its lifecycle events: a
report that is accepted ends them, and later ones are refused. The response to an
accepted report can get lost.
"""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support.answering import answer_brokenly, answering

REPORT = "PutLifecycleEventHookExecutionStatus"
EVENTS = (
    "BeforeInstall",
    "AfterInstall",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
)


class Edge(ThreadingHTTPServer):
    """Keeps every report in ``calls``, whether it is accepted or not.

    ``status`` is the status of the lifecycle events. ``broken`` names what happens to
    the response to each report, one of ``answering.BROKEN``.
    """

    daemon_threads = True

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), _Handler)
        self.calls: queue.Queue[dict[str, Any]] = queue.Queue()
        self.deployment: dict[str, str] = {
            "applicationName": "shop",
            "deploymentGroupName": "shop-blue-green",
        }
        self.status = "InProgress"
        self.broken = ""

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
        code, answer = self._answer(operation, call)
        if operation == REPORT and self.server.broken:
            answer_brokenly(self, self.server.broken)
            return
        content = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(
        self, operation: str, call: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        server = self.server
        if operation == "GetDeployment":
            return 200, {"deploymentInfo": server.deployment}
        if operation == "GetDeploymentGroup":
            service = {"clusterName": "shop", "serviceName": "storefront"}
            return 200, {"deploymentGroupInfo": {"ecsServices": [service]}}
        if operation == "GetDeploymentTarget":
            events = [
                {"lifecycleEventName": each, "status": server.status} for each in EVENTS
            ]
            target = {"ecsTarget": {"lifecycleEvents": events}}
            return 200, {
                "deploymentTarget": {"deploymentTargetType": "ECSTarget", **target}
            }
        server.calls.put({"operation": operation, **call})
        if server.status in {"Succeeded", "Failed"}:
            return 400, {"__type": "LifecycleEventAlreadyCompletedException"}
        server.status = call["status"]
        id_ = call["lifecycleEventHookExecutionId"]
        return 200, {"lifecycleEventHookExecutionId": id_}

    def log_message(self, *_: Any) -> None:
        """Say nothing on standard error."""


@contextmanager
def codedeploy_edge(host: str = "127.0.0.1") -> Iterator[Edge]:
    """A server that runs while the block does."""
    with answering(Edge(host)) as server:
        yield server
