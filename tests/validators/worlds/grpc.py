"""A gRPC server with the health service, in the clear or over TLS."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from support.worlds import HOST, authority, leading, listening, options_of, trusting

Status = health_pb2.HealthCheckResponse.ServingStatus


class Health(health_pb2_grpc.HealthServicer):
    """Answers as the row's ``services`` say, with the row's ``headers``."""

    def __init__(self, row, over):
        self.row, self.over = row, over

    def Check(self, request, context):  # noqa: N802 - gRPC's name
        if self.row.get("silent"):
            self.over.wait()
        if "needs" in self.row:
            sent = dict(context.invocation_metadata())
            assert self.row["needs"].items() <= sent.items()
        send = context.set_trailing_metadata
        if not self.row.get("trailing"):
            send = context.send_initial_metadata
        more = self.row.get("more_headers", {})
        send((*self.row.get("headers", {}).items(), *more.items()))
        status = self.row.get("services", {}).get(request.service)
        if status is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return health_pb2.HealthCheckResponse(status=Status.Value(status))


@contextlib.contextmanager
def world(row):
    """A server as the row says."""
    options = options_of("grpc", row)
    if row.get("encrypted"):
        trusting(options, row)
    if row.get("not_grpc"):
        with listening(lambda peer: peer.send(b"HTTP/1.1 400 no\r\n\r\n")) as port:
            yield {**row, "with": options}, leading(row, port)
        return
    over = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool)
        if not row.get("empty"):
            health_pb2_grpc.add_HealthServicer_to_server(Health(row, over), server)
        port = _port(server, encrypted=row.get("encrypted", False))
        server.start()
        try:
            yield {**row, "with": options}, leading(row, port)
        finally:
            over.set()
            server.stop(None).wait()


def _port(server, *, encrypted):
    if not encrypted:
        return server.add_insecure_port("127.0.0.1:0")
    issued = authority().issue_cert(HOST)
    pair = (
        issued.private_key_pem.bytes(),
        b"".join(each.bytes() for each in issued.cert_chain_pems),
    )
    return server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
