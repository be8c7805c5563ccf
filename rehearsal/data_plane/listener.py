"""A listener: its socket, its TLS certificates, and its connections."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from tempfile import TemporaryFile
from typing import IO, Any

from cryptography import x509

from hookgate_rehearsal.data_plane.connection import (
    AccessObserver,
    ClientConnection,
    TcpConnection,
)
from hookgate_rehearsal.data_plane.http_server import HttpConnection
from hookgate_rehearsal.data_plane.loop_thread import until
from hookgate_rehearsal.data_plane.routing import Routing
from hookgate_rehearsal.data_plane.settings import Certificate, ListenerSettings

#: Connections beyond this number are closed at once.
MAX_CONNECTIONS = 4096
#: How long a TLS handshake may take, in seconds.
HANDSHAKE_TIMEOUT = 10.0
_BACKLOG = 1024
#: How long no connection is accepted after one could not be, in seconds.
_PAUSE = 0.1
#: Multiples of the golden ratio's fraction fill the range from 0 to 1 evenly.
_GOLDEN = 0.618_033_988_749_895

CertificateOverride = Callable[[str], Certificate | None]
"""Takes a listener's ARN; returns the certificate to present instead of its own."""


class Listener:
    """A listener that accepts connections.

    Args:
        settings: with the port it is bound to.
        router: the rules of the settings, compiled.
        log_access: receives the lines of the access log.
        override_certificate: which certificate to present instead of its own.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        router: Routing,
        log_access: AccessObserver,
        override_certificate: CertificateOverride = lambda _arn: None,
    ) -> None:
        self.settings = settings
        self.router = router
        self.log_access = log_access
        self._override_certificate = override_certificate
        self._connections: set[ClientConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket: socket.socket | None = None
        self._closed = False
        self._accepted = 0
        self._tls: ssl.SSLContext | None = None

    async def open(self, host: str, delay: float = 0.0) -> None:
        """Start to accept connections, after ``delay`` seconds of refusing them.

        Raises:
            OSError: the port is taken or forbidden, or the certificate unreadable.
        """
        if self.settings.protocol.is_encrypted:
            self._tls = self._own_tls()
        self._socket = _bind(host, self.settings.port)
        port = self._socket.getsockname()[1]
        self.settings = replace(self.settings, port=port)
        if delay:
            self.spawn(self._start_later(delay))
        else:
            self._start()

    def can_update(self, settings: ListenerSettings) -> bool:
        """Whether the socket can stay open under other settings."""
        same_port = settings.port in {0, self.settings.port}
        return same_port and settings.protocol is self.settings.protocol

    def update(self, settings: ListenerSettings, router: Routing) -> None:
        """Change the settings; open connections use them from the next request."""
        before = (self.settings.certificate, self.settings.more_certificates)
        self.settings = replace(settings, port=self.settings.port)
        self.router = router
        if before != (settings.certificate, settings.more_certificates):
            self._tls = self._own_tls()

    def idle_timeout(self) -> float:
        """How long a connection may be idle now, in seconds."""
        return self.settings.idle_timeout

    def next_bucket(self) -> float:
        """The bucket of a new connection: evenly spread, and reproducible."""
        self._accepted += 1
        return self._accepted * _GOLDEN % 1

    def connection_opened(self, connection: ClientConnection) -> None:
        """Add a client's connection."""
        self._connections.add(connection)
        if self._closed:
            connection.transport.abort()

    def connection_closed(self, connection: ClientConnection) -> None:
        """Remove a client's connection."""
        self._connections.discard(connection)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task that is cancelled when the listener closes."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Accept no more connections, and abort the open ones."""
        self._closed = True
        if self._socket is None:
            return
        asyncio.get_running_loop().remove_reader(self._socket)
        await asyncio.sleep(0)  # a connection just accepted has started its task
        for task in self._tasks:
            task.cancel()
        for connection in self._connections:
            connection.transport.abort()
        await until(lambda: not self._connections and not self._tasks)
        self._socket.close()

    async def _start_later(self, delay: float) -> None:
        await asyncio.sleep(delay)
        self._start()

    def _start(self) -> None:
        """Listen on the socket, which refuses connections until then."""
        if self._socket is not None:
            self._socket.listen(_BACKLOG)
            self._watch(self._socket)

    def _watch(self, sock: socket.socket) -> None:
        if not self._closed:
            asyncio.get_running_loop().add_reader(sock, self._accept, sock)

    def _accept(self, sock: socket.socket) -> None:
        try:
            client, _ = sock.accept()
        except BlockingIOError:
            return  # the client has closed it already
        except OSError as error:  # such as too many open files
            loop = asyncio.get_running_loop()
            context = {"message": "cannot accept a connection", "exception": error}
            loop.call_exception_handler(context)
            loop.remove_reader(sock)
            loop.call_later(_PAUSE, self._watch, sock)
            return
        client.setblocking(False)
        if len(self._connections) < MAX_CONNECTIONS:
            self.spawn(self._serve(client))
        else:
            client.close()

    async def _serve(self, client: socket.socket) -> None:
        kind = HttpConnection if self.settings.protocol.is_http else TcpConnection
        tls = self._current_tls()
        # A client that speaks no TLS, or rejects the certificate, is gone now.
        with suppress(OSError):
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: kind(self),
                client,
                ssl=tls,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT if tls else None,
            )

    def _own_tls(self) -> ssl.SSLContext | None:
        certificate = self.settings.certificate
        if certificate is None:
            return None
        return server_context((certificate, *self.settings.more_certificates))

    def _current_tls(self) -> ssl.SSLContext | None:
        """The listener's own TLS settings, or those that a fault requires."""
        other = self._override_certificate(self.settings.arn) if self._tls else None
        return server_context([other]) if other else self._tls


def server_context(certificates: Sequence[Certificate]) -> ssl.SSLContext:
    """The TLS settings of a listener.

    A client gets the first certificate for the server name it sends (RFC 6066, SNI),
    or the first of all if none matches or it sends none.

    Args:
        certificates: the certificates of a listener, its default first.

    Raises:
        ssl.SSLError: a certificate or key is invalid, or they do not match.
    """
    contexts = [_context(each) for each in certificates]
    default = contexts[0]
    if len(contexts) > 1:
        names: dict[str, ssl.SSLContext] = {}
        for certificate, context in zip(certificates, contexts, strict=True):
            for name in _names(certificate):
                names.setdefault(name, context)

        def choose(
            connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: object
        ) -> None:
            connection.context = _find(names, name or "") or default

        default.sni_callback = choose
    return default


def _context(certificate: Certificate) -> ssl.SSLContext:
    """A context of its own: one with two keys may present either."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with ExitStack() as open_:
        chain = open_.enter_context(_unnamed_file(certificate.chain))
        key = open_.enter_context(_unnamed_file(certificate.key))
        context.load_cert_chain(f"/dev/fd/{chain.fileno()}", f"/dev/fd/{key.fileno()}")
    return context


def _unnamed_file(content: bytes) -> IO[bytes]:
    """A file without a name: a process that is killed leaves no key behind."""
    file = TemporaryFile()  # noqa: SIM115 - the caller closes it
    file.write(content)
    file.flush()
    file.seek(0)
    return file


def _names(certificate: Certificate) -> list[str]:
    """The DNS names of a certificate, in lower case."""
    leaf = x509.load_pem_x509_certificate(certificate.chain)
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [each.lower() for each in extension.value.get_values_for_type(x509.DNSName)]


def _find(names: Mapping[str, ssl.SSLContext], name: str) -> ssl.SSLContext | None:
    """The context for a server name, or for its wildcard."""
    lower = name.lower()
    return names.get(lower) or names.get("*." + lower.partition(".")[2])


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
