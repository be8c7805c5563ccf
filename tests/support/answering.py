"""A server of this process that answers while a block runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

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
