"""Whether a port can be listened on."""

from __future__ import annotations

import socket

from rehearsal.endpoint.server import HOST


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of this machine; 0 always is free."""
    try:
        with socket.create_server((HOST, port)):
            return True
    except OSError:
        return False
