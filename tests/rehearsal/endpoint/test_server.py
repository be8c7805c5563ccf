"""The endpoint's server, and the clients that it closes on."""

import socket
import threading

from hookgate_rehearsal.endpoint.front import EndpointServer


def application(environ, start_response):
    """Answer nothing, politely."""
    start_response("200 OK", [])
    return [b""]


def test_silent_client_does_not_keep_the_server_from_closing():
    """The server closes the connection of a silent client and leaves no thread."""
    before = set(threading.enumerate())
    server = EndpointServer(application)
    server.start()
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as silent:
        with socket.create_connection(("127.0.0.1", port)) as other:
            # Connections are taken in order: once this is answered, both are.
            other.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert other.recv(1024).startswith(b"HTTP/")

        server.close()

        assert b"" == silent.recv(1024)
    assert set() == set(threading.enumerate()) - before
