"""An open connection to the load balancer, each use of it within its time."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import Self

from hookgate.codes import Code
from hookgate.connection.trusting import context_of
from hookgate.deadline import Deadline
from hookgate.errors import NoAnswer
from hookgate.probe import Trust

_PIECE = 16 * 1024


@dataclass(slots=True, kw_only=True)
class Line:
    """A connection that is open; close it, or use it in a ``with``.

    ``socket`` may be given to a library that brings its own protocol. ``name`` is what
    TLS asks for when nothing else is said.
    """

    socket: socket.socket
    place: str
    name: str
    deadline: Deadline

    def send(self, data: bytes) -> None:
        """Send all of ``data``.

        Raises:
            NoAnswer: it was not taken, or not in time.
        """
        self._bound("took not all that was sent")
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise self._broken(error, "took not all that was sent") from None

    def receive(self) -> bytes:
        """What comes next, at most 16 KiB; nothing once the other side has closed.

        Raises:
            NoAnswer: the connection broke, or nothing came in time.
        """
        self._bound("said nothing more")
        try:
            return self.socket.recv(_PIECE)
        except OSError as error:
            raise self._broken(error, "said nothing more") from None

    def encrypt(
        self, trust: Trust, context: ssl.SSLContext | None = None
    ) -> ssl.SSLSocket:
        """Speak TLS from now on.

        Args:
            trust: whom to trust, and the name to ask for.
            context: one to use instead of what ``trust`` comes to.

        Raises:
            NoAnswer: the handshake failed; says why.
            CannotMeasure: the client's own certificate cannot be used.
        """
        self._bound("did not end the TLS handshake")
        name = trust.server_name or self.name
        context = context or context_of(trust)
        try:
            encrypted = context.wrap_socket(self.socket, server_hostname=name)
        except TimeoutError as error:
            raise self._broken(error, "did not end the TLS handshake") from None
        except OSError as error:
            from hookgate.http_probe.tls import explain  # noqa: PLC0415 - brings urllib3 in, to word a failure

            raise NoAnswer(
                explain(self.place, error), code=Code.TLS_HANDSHAKE
            ) from error
        self.socket = encrypted
        return encrypted

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _bound(self, what: str) -> None:
        left = self.deadline.remaining
        if left <= 0:
            raise NoAnswer(
                f"{self.place} {what} before the time was over",
                code=Code.CONNECTION_TIMEOUT,
            )
        self.socket.settimeout(left)

    def _broken(self, error: OSError, what: str) -> NoAnswer:
        if isinstance(error, TimeoutError):
            return NoAnswer(
                f"{self.place} {what} before the time was over",
                code=Code.CONNECTION_TIMEOUT,
            )
        return NoAnswer(
            f"{self.place} cut the connection: {error.strerror or error}",
            code=Code.CONNECTION_CLOSED,
        )
