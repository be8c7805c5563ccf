"""A listener: its socket, its certificate, and what it does with each connection."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

from rehearsal.data_plane.encryption import server_context
from rehearsal.data_plane.listener_http import HttpConnection
from rehearsal.data_plane.listener_tcp import TcpConnection
from rehearsal.data_plane.loop_thread import until
from rehearsal.data_plane.observations import AccessRecord
from rehearsal.data_plane.ports import Connection
from rehearsal.data_plane.routing import Routing
from rehearsal.data_plane.settings import Certificate, ListenerSettings

#: More clients than this at once are turned away.
MAX_CONNECTIONS = 4096
#: How long a client may take to agree on TLS, in seconds.
HANDSHAKE_TIMEOUT = 10.0
_BACKLOG = 1024
#: How long no connection is taken after one could not be, in seconds.
_PAUSE = 0.1
#: Multiples of the golden ratio's fraction fill the range from 0 to 1 evenly.
_GOLDEN = 0.618_033_988_749_895

Disguise = Callable[[str], Certificate | None]
"""Told of a listener's ARN; says what it presents now in the place of its own."""


def undisguised(_: str) -> None:
    """Let every listener present its own certificate."""


class Listener:
    """A listener that takes connections.

    Args:
        settings: with the port it is bound to.
        router: the settings' rules, ready.
        tell: where the access log goes.
        disguise: tells which certificate a listener presents in the place of its own.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        router: Routing,
        tell: Callable[[AccessRecord], None],
        disguise: Disguise = undisguised,
    ) -> None:
        self.settings = settings
        self.router = router
        self.tell = tell
        self._disguise = disguise
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket: socket.socket | None = None
        self._closed = False
        self._arrivals = 0
        self._encryption: ssl.SSLContext | None = None

    async def open(self, host: str, delay: float = 0.0) -> None:
        """Start to take connections, after ``delay`` seconds of refusing them.

        Raises:
            OSError: the port is taken or forbidden, or the certificate unreadable.
        """
        if self.settings.protocol.is_encrypted:
            self._encryption = self._own_encryption()
        self._socket = _bind(host, self.settings.port)
        port = self._socket.getsockname()[1]
        self.settings = replace(self.settings, port=port)
        if delay:
            self.spawn(self._open_later(delay))
        else:
            self._begin()

    def can_become(self, settings: ListenerSettings) -> bool:
        """Whether the socket may stay as it is under other settings."""
        same_port = settings.port in {0, self.settings.port}
        return same_port and settings.protocol is self.settings.protocol

    def become(self, settings: ListenerSettings, router: Routing) -> None:
        """Take other settings; connections stay, and see them from the next request."""
        had = (self.settings.certificate, self.settings.more_certificates)
        self.settings = replace(settings, port=self.settings.port)
        self.router = router
        if had != (settings.certificate, settings.more_certificates):
            self._encryption = self._own_encryption()

    def idle_timeout(self) -> float:
        """How long a connection may be silent now, in seconds."""
        return self.settings.idle_timeout

    def luck(self) -> float:
        """A new connection's luck: evenly spread, and the same in every rehearsal."""
        self._arrivals += 1
        return self._arrivals * _GOLDEN % 1

    def arrived(self, connection: Connection) -> None:
        """A client has connected."""
        self._connections.add(connection)
        if self._closed:
            connection.transport.abort()

    def left(self, connection: Connection) -> None:
        """A client's connection has ended."""
        self._connections.discard(connection)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task that ends with the listener at the latest."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Take no more connections, and close those there are."""
        self._closed = True
        if self._socket is None:
            return
        asyncio.get_running_loop().remove_reader(self._socket)
        await asyncio.sleep(0)  # whoever was just accepted is now being greeted
        for task in self._tasks:
            task.cancel()
        for connection in self._connections:
            connection.transport.abort()
        await until(lambda: not self._connections and not self._tasks)
        self._socket.close()

    async def _open_later(self, delay: float) -> None:
        await asyncio.sleep(delay)
        self._begin()

    def _begin(self) -> None:
        """Listen on the socket, which refuses connections until then."""
        if self._socket is not None:
            self._socket.listen(_BACKLOG)
            self._listen(self._socket)

    def _listen(self, sock: socket.socket) -> None:
        if not self._closed:
            asyncio.get_running_loop().add_reader(sock, self._accept, sock)

    def _accept(self, sock: socket.socket) -> None:
        try:
            client, _ = sock.accept()
        except BlockingIOError:
            return  # whoever knocked has gone
        except OSError as error:  # such as too many open files
            loop = asyncio.get_running_loop()
            context = {"message": "cannot take a connection", "exception": error}
            loop.call_exception_handler(context)
            loop.remove_reader(sock)
            loop.call_later(_PAUSE, self._listen, sock)
            return
        client.setblocking(False)
        if len(self._connections) < MAX_CONNECTIONS:
            self.spawn(self._greet(client))
        else:
            client.close()

    async def _greet(self, client: socket.socket) -> None:
        kind = HttpConnection if self.settings.protocol.is_http else TcpConnection
        encryption = self._encryption_now()
        # A client that speaks no TLS, or does not like the certificate, is gone now.
        with suppress(OSError):
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: kind(self),
                client,
                ssl=encryption,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT if encryption else None,
            )

    def _own_encryption(self) -> ssl.SSLContext | None:
        certificate = self.settings.certificate
        if certificate is None:
            return None
        return server_context((certificate, *self.settings.more_certificates))

    def _encryption_now(self) -> ssl.SSLContext | None:
        """What the next client is shown: the listener's own, or what a fault orders."""
        other = self._disguise(self.settings.arn) if self._encryption else None
        return server_context([other]) if other else self._encryption


def _bind(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise type(error)(
            error.errno, f"cannot listen on {host}:{port}: {error.strerror}"
        ) from None
    return sock
