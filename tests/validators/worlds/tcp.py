"""Servers that talk by a script, in the clear, over TLS, or from one to the other."""

from __future__ import annotations

import contextlib

from support.worlds import leading, listening, options_of, server_context, trusting


@contextlib.contextmanager
def world(row):
    """A server that runs the row's ``server``: ``say``, ``hear``, ``starttls``."""
    options = options_of("tcp", row)
    if row.get("encrypted") or "starttls" in row.get("server", ()):
        trusting(options, row)
    context = server_context() if row.get("encrypted") else None

    def script(peer):
        try:
            for turn in row.get("server", ()):
                act(peer, turn)
        finally:
            peer.sock.close()

    with listening(script, context) as port:
        # Port 1 is tcpmux's (RFC 1078), which no server uses.
        place = leading(row, 1 if row.get("refused") else port)
        yield {**row, "with": options}, place


def act(peer, turn):
    """Do one thing; a line that is not what was to be heard ends the connection."""
    if "say" in turn:
        peer.send(turn["say"].encode())
    elif "flood" in turn:
        peer.flood(turn["flood"].encode())
    elif turn == "stall":
        peer.stall()
    elif turn == "starttls":
        peer.sock = server_context().wrap_socket(peer.sock, server_side=True)
    elif "hear" in turn:
        line = b""
        while not line.endswith(b"\n"):
            piece = peer.sock.recv(1)
            if not piece:
                break
            line += piece
        if line.decode().strip() != turn["hear"]:
            raise ConnectionAbortedError(line)
