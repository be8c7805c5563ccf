"""AWS's edge and a new version, behind one port: prints it, serves until input ends.

What AWS answers is what the tests' ``World`` says, held against botocore's model. It is
asked once for each question and its bytes are kept: what is measured is the gate, not
what answers it. Every GET is for the new version, which says 200.
"""

from __future__ import annotations

import http.client
import importlib
import socketserver
import sys
import threading
from http import HTTPStatus
from typing import Any

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
_FORWARDED = ("Authorization", "X-Amz-Target")


class Edge(socketserver.ThreadingTCPServer):
    """Answers as the server at ``origin`` did when it was first asked."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.origin = 0
        self._answers: dict[tuple[str | None, bytes], bytes] = {}
        self._lock = threading.Lock()

    def answer(self, headers: http.client.HTTPMessage, body: bytes) -> bytes:
        """The body of AWS's answer."""
        question = (headers["X-Amz-Target"], body)
        with self._lock:
            if question not in self._answers:
                self._answers[question] = self._ask(headers, body)
            return self._answers[question]

    def _ask(self, headers: http.client.HTTPMessage, body: bytes) -> bytes:
        origin = http.client.HTTPConnection("127.0.0.1", self.origin)
        forwarded = {name: headers[name] for name in _FORWARDED if name in headers}
        origin.request("POST", "/", body, forwarded)
        reply = origin.getresponse()
        answer = reply.read()
        if reply.status != HTTPStatus.OK:
            raise OSError(f"the world answered {reply.status}: {answer!r}")
        return answer


class _Exchange(socketserver.StreamRequestHandler):
    server: Edge
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer what comes over one connection."""
        while line := self.rfile.readline():
            headers = http.client.parse_headers(self.rfile)
            body = self.rfile.read(int(headers.get("Content-Length", 0)))
            asks_aws = line.startswith(b"POST")
            answer = self.server.answer(headers, body) if asks_aws else b"hello"
            self.wfile.write(_OK % (len(answer), answer))


def world(port: int) -> Any:
    """The tests' world, with a test listener that leads to ``port``."""
    made = importlib.import_module("support.world").World()
    # The event began just now; the world's own time would be outside the hour.
    made.events = []
    made.listeners[1]["Port"] = port
    balancer = made.listeners[1]["LoadBalancerArn"]
    made.answers["elbv2", "describe_load_balancers"] = {
        "LoadBalancers": [{"LoadBalancerArn": balancer, "DNSName": "127.0.0.1"}]
    }
    return made


def main() -> None:
    """Serve until standard input ends."""
    edge = Edge()
    threading.Thread(target=edge.serve_forever, daemon=True).start()
    world_server = importlib.import_module("support.world_server").world_server
    with world_server(world(edge.server_address[1])) as origin:
        edge.origin = origin.server_port
        print(edge.server_address[1], flush=True)
        sys.stdin.read()
    edge.shutdown()


if __name__ == "__main__":
    main()
