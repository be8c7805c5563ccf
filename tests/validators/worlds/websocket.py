"""A server of WebSockets that runs a row's script."""

from __future__ import annotations

import contextlib
import http
import threading

from support.answering import answering
from support.worlds import leading, options_of, server_context, trusting
from websockets.datastructures import Headers
from websockets.http11 import Response
from websockets.sync.server import serve


@contextlib.contextmanager
def world(row):
    """A server that runs ``server``: ``say``, ``hear``, ``close``, on every socket."""
    options = options_of("websocket", row)
    trusting(options, row)
    over = threading.Event()

    def refuse(connection, request):
        status = row.get("answers")
        if status is None:
            return None
        headers = Headers(row.get("headers", {}))
        return Response(status, http.HTTPStatus(status).phrase, headers, b"no")

    def name(connection, request, response):
        response.headers.update(row.get("headers", {}))
        for each in row.get("more_headers", {}).items():
            response.headers[each[0]] = each[1]

    def respond(connection):
        for act in row.get("server", ()):
            if act == "stall":
                over.wait()
            elif "say" in act:
                connection.send(act["say"])
            elif "hear" in act:
                assert connection.recv() == act["hear"]
            else:
                connection.close(act["close"], act.get("reason", ""))
                return

    server = serve(
        respond,
        "127.0.0.1",
        0,
        ssl=server_context() if row.get("encrypted") else None,
        subprotocols=row.get("subprotocols"),
        process_request=refuse,
        process_response=name,
    )
    with answering(server):
        port = server.socket.getsockname()[1]
        place = leading(row, port, scheme=row.get("scheme", "http"))
        try:
            yield {**row, "with": options}, place
        finally:
            over.set()
