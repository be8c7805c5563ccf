"""The validators that speak no HTTP, through the emulator's listeners."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from support.answering import answering
from support.coded import raises
from support.data_plane import scripted, serve
from support.worlds import leading, pem, server_context
from websockets.sync.server import serve as serve_websockets

from hookgate.errors import NotGreen
from hookgate.registry import resolve
from hookgate.testing import check
from hookgate_rehearsal.data_plane.settings import Protocol, Target

IDENTITY = {"identity": ["X-Version", "v2"]}


def found(use: str, port: int, row: dict, **options) -> list[tuple[bool, str]]:
    """The codes of a validator's findings through a listener of the emulator."""
    validator = resolve(use).model_validate(options)
    findings = check(validator, **leading(row, port))
    return [(each.ok, each.code) for each in findings]


@contextlib.contextmanager
def web_sockets():
    """A target that says its version in the handshake and everything twice."""

    def name(connection, request, response):
        response.headers["X-Version"] = "v2"

    def run(connection):
        for message in connection:
            connection.send(message * 2)

    listening = serve_websockets(run, "127.0.0.1", 0, process_response=name)
    with answering(listening) as server:
        yield Target(id="127.0.0.1", port=server.socket.getsockname()[1])


def test_websocket_through_an_http_listener(plane):
    """The upgrade, its headers, messages and pings pass the load balancer."""
    dialogue = [
        {"send": "tea"},
        {"receive": [{"body": {"equals": "teatea"}}]},
        {"ping": True},
    ]
    with web_sockets() as target:
        port = serve(plane, target)
        actual = found(
            "websocket", port, {**IDENTITY, "scheme": "http"}, dialogue=dialogue
        )
    assert actual == [
        (True, "HG-HTTP-STATUS"),
        (True, "HG-ASSERT-VALUE"),
        (True, "HG-DIALOGUE"),
    ]


def greet(visitor):
    visitor.send(b"220 hello\r\n")


def test_tcp_through_a_tcp_listener(plane):
    """A dialogue passes a listener of a Network Load Balancer."""
    with scripted(greet) as target:
        port = serve(plane, target, protocol=Protocol.TCP)
        actual = found("tcp", port, IDENTITY, dialogue=[{"expect": "^220"}])
    assert [ok for ok, _ in actual] == [True, True]


def test_tls_through_a_tcp_listener(plane):
    """Behind a TCP listener the certificate is the new version's own."""
    context = server_context()

    def encrypted(visitor):
        # A health check connects and says nothing.
        with (
            contextlib.suppress(OSError),
            context.wrap_socket(visitor.sock, server_side=True),
        ):
            pass

    with scripted(encrypted) as target:
        port = serve(plane, target, protocol=Protocol.TCP)
        actual = found("tls", port, IDENTITY, refuses_older=False, tls={"ca": pem()})
    assert [ok for ok, _ in actual] == [True, True, True, True]


@pytest.mark.parametrize(
    ("text", "ok"),
    [pytest.param("v2", True, id="green"), pytest.param("v1", False, id="blue")],
)
def test_grpc_through_a_tcp_listener(plane, text, ok):
    """HTTP/2 passes a TCP listener unchanged, with the metadata that proves green."""

    class Health(health_pb2_grpc.HealthServicer):
        def Check(self, request, context):  # noqa: N802 - gRPC's name
            context.send_initial_metadata((("x-version", text),))
            return health_pb2.HealthCheckResponse(status="SERVING")

    with ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool)
        health_pb2_grpc.add_HealthServicer_to_server(Health(), server)
        target = Target(id="127.0.0.1", port=server.add_insecure_port("127.0.0.1:0"))
        server.start()
        try:
            port = serve(plane, target, protocol=Protocol.TCP)
            if ok:
                assert [(True, "HG-GRPC-STATUS")] == found("grpc", port, IDENTITY)
            else:
                with raises(NotGreen, "HG-IDENTITY", "'v1'"):
                    found("grpc", port, IDENTITY)
        finally:
            server.stop(None).wait()
