"""Whether a port can be listened on."""

from __future__ import annotations

import socket


def is_free(host: str, port: int) -> bool:
    """Whether nobody listens on a port of an address; 0 always is free."""
    try:
        with socket.create_server((host, port)):
            return True
    except OSError:
        return False
