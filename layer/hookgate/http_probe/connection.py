"""urllib3's connections, kept to the load balancer's address and to the bounds."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from email.errors import (
    FirstHeaderLineIsContinuationDefect,
    MissingHeaderBodySeparatorDefect,
)
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_match_hostname import CertificateError

from hookgate.errors import NoAnswer
from hookgate.http_probe import tls
from hookgate.http_probe.exchange import Exchange, Phase

_PIECE = 16 * 1024
_BUFFER = 8 * 1024
# Headers after such a line are lost; RFC 9112, 5.1 forbids it.
_NO_HEADER = (FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect)


class _Received(io.RawIOBase):
    """What comes from the socket, each read within what is left of the time."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, of: Exchange) -> None:
        super().__init__()
        self._raw = raw
        self._socket = sock
        self._exchange = of

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._socket.settimeout(self._exchange.remaining())
        return self._exchange.read(
            memoryview(buffer), lambda into: self._raw.readinto(into) or 0
        )

    def close(self) -> None:
        self._raw.close()
        super().close()


class BoundedResponse(http.client.HTTPResponse):
    """An answer whose reading is bounded byte by byte."""

    def __init__(self, exchange: Exchange, sock: socket.socket, **options: Any) -> None:
        super().__init__(sock, **options)
        self._exchange = exchange
        raw = _Received(self.fp.detach(), sock, exchange)
        self.fp = io.BufferedReader(raw, _BUFFER)

    def begin(self) -> None:
        """Read the status line and the headers, past any interim answer.

        Raises:
            NoAnswer: this is not HTTP, or not within its bounds.
        """
        self._exchange.phase = Phase.HEAD
        try:
            super().begin()
            while (
                http.HTTPStatus.SWITCHING_PROTOCOLS < self.status < http.HTTPStatus.OK
            ):
                # RFC 9110, 15.2: a client reads past interim answers such as 103.
                self.headers = self.msg = None  # type: ignore[assignment] # so does http.client before it begins
                super().begin()
        except http.client.HTTPException as error:
            raise self._exchange.no_http(_words(error)) from None
        if any(isinstance(each, _NO_HEADER) for each in self.msg.defects):
            raise self._exchange.no_http("a header line has no colon")
        self._exchange.phase = Phase.BODY


class PlainConnection(HTTPConnection):
    """A connection that goes to the exchange's address, whatever its host says."""

    def __init__(self, *arguments: Any, exchange: Exchange, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.exchange = exchange

    def response_class(self, sock: socket.socket, **options: Any) -> BoundedResponse:  # type: ignore[override] # http.client calls it; a method is as good as a class
        """The answer, bounded by the exchange."""
        return BoundedResponse(self.exchange, sock, **options)

    def _new_conn(self) -> socket.socket:
        return self.exchange.connect()

    def send(self, data: Any) -> None:
        """Send in pieces, each within what is left of the time.

        Raises:
            NoAnswer: the listener does not take it in time.
        """
        if self.sock is None:
            self.connect()
        self.exchange.phase = Phase.SEND
        for start in range(0, len(data), _PIECE):
            self.sock.settimeout(self.exchange.remaining())
            try:
                super().send(data[start : start + _PIECE])
            except TimeoutError:
                raise self.exchange.too_late() from None


class TlsConnection(PlainConnection, HTTPSConnection):
    """The same over TLS; urllib3 checks the certificate against the pool's host."""

    def connect(self) -> None:
        """Connect and shake hands.

        Raises:
            NoAnswer: the handshake failed; says what to do about it.
        """
        try:
            super().connect()
        except TimeoutError:
            raise self.exchange.too_late() from None
        except (OSError, CertificateError) as error:
            raise NoAnswer(tls.explain(self.exchange.place, error)) from None

    def _new_conn(self) -> socket.socket:
        opened = super()._new_conn()
        self.exchange.phase = Phase.HANDSHAKE
        return opened


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = TlsConnection


class Adapter(HTTPAdapter):
    """Sends one request through a pool of one connection, made for this exchange."""

    def __init__(
        self, exchange: Exchange, name: str, context: ssl.SSLContext | None
    ) -> None:
        super().__init__()
        self.pool = (
            _TlsPool(
                name,
                exchange.port,
                ssl_context=context,
                assert_hostname=name,
                exchange=exchange,
            )
            if context
            else _PlainPool(name, exchange.port, exchange=exchange)
        )

    def get_connection_with_tls_context(
        self, *_arguments: Any, **_options: Any
    ) -> HTTPConnectionPool:
        """The pool of this exchange; neither proxies nor other hosts come in."""
        return self.pool

    def cert_verify(self, *arguments: Any, **options: Any) -> None:
        """Nothing to do: the pool's own TLS context verifies."""

    def close(self) -> None:
        """Close the connection."""
        self.pool.close()
        super().close()


def _words(error: http.client.HTTPException) -> str:
    if isinstance(error, http.client.BadStatusLine):
        return "no status line"
    return " ".join(str(each) for each in error.args)
