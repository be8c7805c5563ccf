"""A server of this process that answers while a block runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any, TypeVar

#: Ways in which a response gets lost: not sent, not HTTP, an error, and never sent.
BROKEN = ("lost", "garbage", "error", "silent")
Server = TypeVar("Server", bound=Any)


@contextmanager
def answering(server: Server, *arguments: float) -> Iterator[Server]:
    """Have a server answer, and close it at the end.

    Args:
        server: of ``socketserver`` or ``websockets``; it listens already.
        arguments: what its ``serve_forever`` takes, such as the interval at which it
            looks for its end.
    """
    with server:
        thread = threading.Thread(target=server.serve_forever, args=arguments)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def answer_brokenly(handler: BaseHTTPRequestHandler, how: str) -> None:
    """Lose the response to a request in one of the ways of ``BROKEN``."""
    handler.close_connection = True
    match how:
        case "garbage":
            handler.wfile.write(b"\x00\x01 garbage \xff" * 9)
        case "error":
            handler.send_response(500)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        case "silent":
            handler.rfile.read(1)  # until the client goes
