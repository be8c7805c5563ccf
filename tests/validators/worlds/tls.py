"""TLS servers with certificates of an authority of the tests."""

from __future__ import annotations

import contextlib

from support.worlds import leading, listening, options_of, server_context, trusting


@contextlib.contextmanager
def world(row):
    """A server as the row says; its authority is trusted unless the row differs."""
    options = options_of("tls", row)
    trusting(options, row)
    server = dict(row.get("server", {}))
    plain = server.pop("plain", False)
    server["names"] = tuple(server.get("names", ("shop.example.com",)))
    context = None if plain else server_context(**server)
    script = (
        (lambda peer: peer.send(b"220 hello\r\n")) if plain else (lambda peer: None)
    )
    with listening(script, context) as port:
        yield {**row, "with": options}, leading(row, port)
