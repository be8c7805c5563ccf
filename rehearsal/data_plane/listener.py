"""A listener: its socket, TLS certificates, connections and access log."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
import typing
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from typing import IO, Any

from cryptography import x509

from hookgate_rehearsal.data_plane.http_message import HIGH_WATER
from hookgate_rehearsal.data_plane.loop_thread import until
from hookgate_rehearsal.data_plane.routing import Routing
from hookgate_rehearsal.data_plane.settings import Certificate, ListenerSettings, Target
from hookgate_rehearsal.data_plane.target_group import Registration, TargetGroup

#: Connections beyond this number are closed at once.
MAX_CONNECTIONS = 4096
#: How long a load balancer waits for a target to accept a connection, in seconds.
CONNECT_TIMEOUT = 10.0
#: How long a TLS handshake may take, in seconds.
HANDSHAKE_TIMEOUT = 10.0
_BACKLOG = 1024
#: How long no connection is accepted after one could not be, in seconds.
_PAUSE = 0.1
#: Multiples of the golden ratio's fraction fill the range from 0 to 1 evenly.
_GOLDEN = 0.618_033_988_749_895

CertificateOverride = Callable[[str], Certificate | None]
"""Takes a listener's ARN; returns the certificate to present instead of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRecord:
    """One line of the access log.

    It is reported before the client has the last byte of the response. ``target`` is
    the chosen target and ``target_status`` the status of its response: ``None`` if
    there was no response, and ``error`` says why. A connection through a TCP or TLS
    listener is one record, reported when it ends, with method ``TCP`` and status 0.

    ``started`` is in monotonic seconds, ``started_at`` in seconds since the epoch; both
    are the time at which the request was routed. ``duration`` is in seconds.
    """

    listener_arn: str
    target_group_arn: str | None
    target: Target | None
    started: float
    started_at: float
    duration: float
    method: str = "TCP"
    path: str = ""
    status: int = 0
    target_status: int | None = None
    user_agent: str = ""
    trace_id: str = ""
    error: str | None = None

    @property
    def is_served(self) -> bool:
        """Whether a target responded, or a connection reached one."""
        if self.method == "TCP":
            return self.target is not None and self.error is None
        return self.target_status is not None


AccessObserver = Callable[[AccessRecord], None]


class Assignment:
    """The target of a request or a connection that has just arrived."""

    def __init__(self, listener: Listener) -> None:
        self._listener_arn = listener.settings.arn
        self._group: TargetGroup | None = None
        self._registration: Registration | None = None
        self._started, self._started_at = time.monotonic(), time.time()

    def choose(self, group: TargetGroup | None) -> Registration | str:
        """Take the next target of a group, or return why there is none."""
        self._group = group
        if group is None:
            return "every weight is 0"
        self._registration = group.choose()
        if self._registration is None:
            return "no target is registered"
        self._registration.in_flight += 1
        return self._registration

    def end(self, error: str | None) -> AccessRecord:
        """Release the target, and return the line of the access log."""
        if self._registration:
            self._registration.in_flight -= 1
        return AccessRecord(
            listener_arn=self._listener_arn,
            target_group_arn=self._group.settings.arn if self._group else None,
            target=self._registration.target if self._registration else None,
            started=self._started,
            started_at=self._started_at,
            duration=time.monotonic() - self._started,
            error=error,
        )


class ClientConnection(asyncio.Protocol):
    """A client's connection, known to its listener, with an idle timeout.

    ``bucket`` is a number of the connection, at least 0 and below 1: evenly spread, and
    reproducible.
    """

    transport: asyncio.Transport
    _active_at: float
    _idle_timer: asyncio.TimerHandle

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.bucket = listener.next_bucket()
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register with the listener."""
        self.transport = typing.cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER)
        self.listener.connections.add(self)
        if self.listener.is_closed:
            self.transport.abort()
        self.reset_idle_timer()
        self._check_idle()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """Remove it from the listener."""
        self.listener.connections.discard(self)
        self._idle_timer.cancel()

    def reset_idle_timer(self) -> None:
        """Start the idle timeout again: there was traffic."""
        self._active_at = self._loop.time()

    def timed_out(self) -> None:
        """End the connection; called at the timeout, and after each further one."""
        raise NotImplementedError

    def _check_idle(self) -> None:
        """Run one timer, which is cheaper than a new one for each piece of data."""
        timeout = self.listener.settings.idle_timeout
        left = self._active_at + timeout - self._loop.time()
        if left <= 0:
            left = timeout
            self.timed_out()
        self._idle_timer = self._loop.call_later(left, self._check_idle)


class Listener:
    """A listener that accepts connections.

    Args:
        settings: with the port it is bound to.
        router: the rules of the settings, compiled.
        connection: makes the protocol of each connection.
        log_access: receives the lines of the access log.
        override_certificate: which certificate to present instead of its own.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        router: Routing,
        connection: Callable[[Listener], ClientConnection],
        log_access: AccessObserver,
        override_certificate: CertificateOverride = lambda _arn: None,
    ) -> None:
        self.settings = settings
        self.router = router
        self.log_access = log_access
        self._connection = connection
        self._override_certificate = override_certificate
        self.connections: set[ClientConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket: socket.socket | None = None
        self.is_closed = False
        self._accepted = 0
        self._tls: ssl.SSLContext | None = None

    async def open(self, host: str, delay: float = 0.0) -> None:
        """Start to accept connections, after ``delay`` seconds of refusing them.

        Raises:
            OSError: the port is taken or forbidden, or the certificate unreadable.
        """
        if self.settings.certificates:
            self._tls = server_context(self.settings.certificates)
        self._socket = _bind(host, self.settings.port)
        port = self._socket.getsockname()[1]
        self.settings = replace(self.settings, port=port)
        if delay:
            self.spawn(self._start(delay))
        else:
            await self._start()

    def can_update(self, settings: ListenerSettings) -> bool:
        """Whether the socket can stay open under other settings."""
        same_port = settings.port in {0, self.settings.port}
        return same_port and settings.protocol is self.settings.protocol

    def update(self, settings: ListenerSettings, router: Routing) -> None:
        """Change the settings; open connections use them from the next request."""
        if settings.certificates != self.settings.certificates:
            self._tls = server_context(settings.certificates)
        self.settings = replace(settings, port=self.settings.port)
        self.router = router

    def next_bucket(self) -> float:
        """The bucket of a new connection: evenly spread, and reproducible."""
        self._accepted += 1
        return self._accepted * _GOLDEN % 1

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task that is cancelled when the listener closes."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Accept no more connections, and abort the open ones."""
        self.is_closed = True
        if self._socket is None:
            return
        asyncio.get_running_loop().remove_reader(self._socket)
        await asyncio.sleep(0)  # a connection just accepted has started its task
        for task in self._tasks:
            task.cancel()
        for connection in self.connections:
            connection.transport.abort()
        await until(lambda: not self.connections and not self._tasks)
        self._socket.close()

    async def _start(self, delay: float = 0.0) -> None:
        """Listen on the socket, which refuses connections until then."""
        await asyncio.sleep(delay)
        if self._socket is not None:
            self._socket.listen(_BACKLOG)
            self._watch(self._socket)

    def _watch(self, sock: socket.socket) -> None:
        if not self.is_closed:
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
        if len(self.connections) < MAX_CONNECTIONS:
            self.spawn(self._serve(client))
        else:
            client.close()

    async def _serve(self, client: socket.socket) -> None:
        tls = self._current_tls()
        # A client that speaks no TLS, or rejects the certificate, is gone now.
        with suppress(OSError):
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._connection(self),
                client,
                ssl=tls,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT if tls else None,
            )

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
    if len(contexts) > 1:
        names: dict[str, ssl.SSLContext] = {}
        for certificate, context in zip(certificates, contexts, strict=True):
            for name in _names(certificate):
                names.setdefault(name, context)

        def choose(
            connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: object
        ) -> None:
            lower = (name or "").lower()
            wildcard = "*." + lower.partition(".")[2]
            connection.context = names.get(lower) or names.get(wildcard) or contexts[0]

        contexts[0].sni_callback = choose
    return contexts[0]


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
