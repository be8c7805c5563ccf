"""An open connection to the load balancer, each use of it within its time."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from types import TracebackType
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hookgate.deadline import Deadline
from hookgate.errors import NoAnswer

_PIECE = 16 * 1024


def certificates(text: str) -> str:
    """Check that OpenSSL can read certificates, unless a ``${…}`` is to come.

    Raises:
        ValueError: it cannot.
    """
    if "${" not in text:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
        except (ssl.SSLError, ValueError):
            raise ValueError(
                "these are no certificates in PEM; the text begins with "
                "-----BEGIN CERTIFICATE-----"
            ) from None
    return text


class Encryption(BaseModel):
    """How the other side of a TLS connection is verified."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    ca: Annotated[str, AfterValidator(certificates)] | None = Field(
        None, description="Certificates in PEM to trust, instead of public authorities."
    )
    server_name: str | None = Field(
        None,
        min_length=1,
        max_length=253,
        description="The name to ask for and to verify, instead of target.host.",
    )
    verify: bool = Field(
        True,
        description="Whether the certificate must be trusted and be for the name; with "
        "false the verdict says so.",
    )

    @property
    def optout(self) -> str:
        """What to say when nothing is verified; else nothing."""
        return "" if self.verify else "verify: false, the certificate is not verified"

    def context(self) -> ssl.SSLContext:
        """A context of Python's that verifies as it is said here."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self.ca:
            context.load_verify_locations(cadata=self.ca)
        else:
            from certifi import where  # noqa: PLC0415 - needed only without a CA of one's own

            context.load_verify_locations(where())
        return context


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
        self, encryption: Encryption, context: ssl.SSLContext | None = None
    ) -> ssl.SSLSocket:
        """Speak TLS from now on.

        Args:
            encryption: whom to trust, and the name to ask for.
            context: one to use instead of the encryption's own.

        Raises:
            NoAnswer: the handshake failed; says why.
        """
        self._bound("did not end the TLS handshake")
        name = encryption.server_name or self.name
        context = context or encryption.context()
        try:
            encrypted = context.wrap_socket(self.socket, server_hostname=name)
        except TimeoutError as error:
            raise self._broken(error, "did not end the TLS handshake") from None
        except OSError as error:
            from hookgate.http_probe.tls import explain  # noqa: PLC0415 - brings urllib3 in, to word a failure

            raise NoAnswer(explain(self.place, error)) from error
        self.socket = encrypted
        return encrypted

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _bound(self, what: str) -> None:
        left = self.deadline.remaining
        if left <= 0:
            raise NoAnswer(f"{self.place} {what} before the time was over")
        self.socket.settimeout(left)

    def _broken(self, error: OSError, what: str) -> NoAnswer:
        if isinstance(error, TimeoutError):
            return NoAnswer(f"{self.place} {what} before the time was over")
        return NoAnswer(f"{self.place} cut the connection: {error.strerror or error}")
