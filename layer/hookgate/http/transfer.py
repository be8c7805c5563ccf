"""One HTTP exchange: its time limit, its progress, its response."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

import pycurl

from hookgate.codes import Code
from hookgate.context import Endpoint
from hookgate.deadline import Deadline
from hookgate.errors import NoAnswer
from hookgate.http.address import AddressPolicy, families
from hookgate.http.request import Certificate, Trust
from hookgate.http.response import BodyError, Decoder, TooLarge
from hookgate.redaction import masked
from hookgate.units import seconds_text

_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH}


class Phase(StrEnum):
    """How far an exchange got; the value is the message of a timeout."""

    CONNECT = "could not connect; does the security group allow the hook?"
    HANDSHAKE = "connected, but the TLS handshake did not complete"
    SEND = "connected, but the request was not accepted"
    HEAD = "connected, but received no response"
    HEADERS = "the headers were not complete"
    BODY = "the body was not complete"


@dataclass(slots=True, kw_only=True)
class Exchange:
    """The state of one request to ``endpoint``, which ``deadline`` bounds.

    ``ip`` is as in ``Request``. ``resolved`` and ``connected`` are seconds.
    """

    endpoint: Endpoint
    deadline: Deadline
    limit: float
    policy: AddressPolicy
    ip: str = ""
    phase: Phase = Phase.CONNECT
    received: int = 0
    peer: str = ""
    resolved: float = 0.0
    connected: float = 0.0

    @property
    def place(self) -> str:
        """Host and port, for messages."""
        address = self.endpoint.address
        host = f"[{address}]" if ":" in address else address
        return f"{host}:{self.endpoint.port}"

    def remaining(self) -> float:
        """Seconds left, more than zero.

        Raises:
            NoAnswer: no time is left; the message has how far the exchange got.
        """
        left = self.deadline.remaining
        if left <= 0:
            raise self.too_late()
        return left

    def too_late(self) -> NoAnswer:
        """The error of a timeout."""
        where: str = self.phase.value
        if self.received and self.phase in {Phase.HEADERS, Phase.BODY}:
            where = f"{where} after {self.received} bytes"
        return NoAnswer(
            f"{self.place} did not respond within {seconds_text(self.limit)}: {where}",
            code=Code.HTTP_TIMEOUT,
        )

    def connect(self) -> socket.socket:
        """Open a connection to the first address of the name that accepts one.

        Raises:
            NoAnswer: no address accepts one.
            CannotMeasure: the name resolves to an address that is not allowed.
        """
        clock, reasons = self.deadline.clock, []
        started = clock.now()
        addresses = self._addresses()
        self.resolved = clock.now() - started
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                opened = self._open(address, self.remaining() / left)
            except OSError as error:
                reasons.append(self._unconnected(address, error))
            else:
                self.connected = clock.now() - started - self.resolved
                return opened
        raise NoAnswer("; ".join(dict.fromkeys(reasons)), code=Code.CONNECTION_REFUSED)

    def _addresses(self) -> list[str]:
        found = self.policy.resolve(self.endpoint, seconds=self.remaining())
        return families(found, self.ip, self.endpoint.address)

    def _open(self, address: str, seconds: float) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.settimeout(seconds)
            opened.connect((address, self.endpoint.port))
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.settimeout(self.remaining())
        except BaseException:
            opened.close()
            raise
        self.peer = address
        return opened

    def _unconnected(self, address: str, error: OSError) -> str:
        at = "" if address == self.endpoint.address else f" ({address})"
        if isinstance(error, TimeoutError):
            return str(self.too_late()) + at
        if isinstance(error, ConnectionRefusedError):
            return f"nothing listens at {self.place}{at}: connection refused"
        if error.errno in _UNREACHABLE:
            return f"no route to {self.place}{at}; must the function be in its VPC?"
        return f"no connection to {self.place}{at}: {error.strerror or error}"


MAX_HEAD = 48 * 1024

MAX_HEADERS = 100

TOO_LONG = f"its headers are larger than {MAX_HEAD // 1024} KiB"

_STATUS = re.compile(rb"HTTP/(?:1\.[01]|2|3) ([1-5]\d\d)(?: |\r?\n)")

_TLS_ALERT = b"\x15\x03"  # RFC 8446, 5.1


@dataclass(slots=True)
class Answer:
    """Reads a response from libcurl; ``trouble`` is the error that stopped it.

    ``decodes`` is whether the body is decoded by its Content-Encoding.
    """

    exchange: Exchange
    max_body: int
    decodes: bool
    trouble: NoAnswer | None = None
    status: int = 0
    complete: bool = False
    fields: list[tuple[str, str]] = field(default_factory=list)
    _head: int = 0
    _decoder: Decoder | None = None
    _body: list[bytes] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        """The body after decompression."""
        return b"".join(self._body)

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by the first spelling of their names; equal ones are joined."""
        names: dict[str, str] = {}
        found: dict[str, str] = {}
        for name, value in self.fields:
            first = names.setdefault(name.lower(), name)
            found[first] = f"{found[first]}, {value}" if first in found else value
        return found

    @property
    def cookies(self) -> tuple[str, ...]:
        """Every ``Set-Cookie``, which must not be joined."""
        return tuple(
            value for name, value in self.fields if name.lower() == "set-cookie"
        )

    def take_header(self, line: bytes) -> int | None:
        """Take a line of the head; any return value but None stops libcurl."""
        self.exchange.received += len(line)
        self._head += len(line)
        self.exchange.phase = Phase.HEADERS
        if self._head > MAX_HEAD:
            return self._stop(TOO_LONG)
        if self.complete:
            return None  # A trailer.
        if line.startswith(b"HTTP/"):
            return self._begin(line)
        if not line.strip():
            self.complete = self.status >= 200
            self.exchange.phase = Phase.BODY if self.complete else Phase.HEADERS
            return None
        return self._field(line)

    def _begin(self, line: bytes) -> int | None:
        """Start a head; interim responses such as 103 are skipped (RFC 9110, 15.2)."""
        match = _STATUS.match(line)
        if not match:
            self.trouble = self.no_http("no status line", line)
            return -1
        self.status = int(match[1])
        self.fields.clear()
        return None

    def _field(self, line: bytes) -> int | None:
        name, colon, value = line.decode("latin-1").partition(":")
        if line[:1] in b" \t" and self.fields:  # RFC 9112, 5.2
            last, so_far = self.fields[-1]
            self.fields[-1] = last, f"{so_far} {line.decode('latin-1').strip()}"
        elif not colon:
            return self._stop("a header line has no colon")
        elif len(self.fields) >= MAX_HEADERS:
            return self._stop(f"it has more than {MAX_HEADERS} headers")
        else:
            self.fields.append((name.strip(), value.strip()))
        return None

    def take_body(self, piece: bytes) -> int | None:
        """Take a piece of the body after decompression."""
        if not self.status:
            self.trouble = self.no_http("no status line", piece)
            return -1
        try:
            if self._decoder is None:
                fields = self.fields if self.decodes else ()
                self._decoder = Decoder.of(fields, self.max_body)
            self._body.append(self._decoder.take(piece))
        except BodyError as error:
            self.trouble = self._unreadable(error)
            return -1
        return None

    def end(self) -> None:
        """Check that the response is complete.

        Raises:
            NoAnswer: its headers or its body are incomplete.
        """
        if not self.complete:
            raise NoAnswer(
                f"{self.exchange.place} did not respond with HTTP: it closed the "
                "connection before its headers ended",
                code=Code.HTTP_PROTOCOL,
            )
        try:
            if self._decoder is not None:
                self._decoder.end()
        except BodyError as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: BodyError) -> NoAnswer:
        if isinstance(error, TooLarge):
            return NoAnswer(
                f"the body is larger than max_body, {self.max_body} bytes",
                code=Code.HTTP_BODY_SIZE,
            )
        return NoAnswer(
            f"the body does not match its Content-Encoding: {error}",
            code=Code.HTTP_ENCODING,
        )

    def _stop(self, why: str) -> int:
        place = self.exchange.place
        self.trouble = NoAnswer(
            f"{place} did not respond with HTTP: {why}", code=Code.HTTP_PROTOCOL
        )
        return -1

    def no_http(self, why: str, began: bytes) -> NoAnswer:
        """The error of a response that is not HTTP."""
        place = self.exchange.place
        if began.startswith(_TLS_ALERT):
            return NoAnswer(
                f"{place} speaks TLS where plain HTTP was expected",
                code=Code.HTTP_PROTOCOL,
            )
        # Masked before it is cut: a mask does not know half a secret.
        shown = masked(began[:4096].decode("utf-8", "backslashreplace"))[:40]
        return NoAnswer(
            f"{place} did not respond with HTTP: {why}; the response begins with "
            f"{shown!r}",
            code=Code.HTTP_PROTOCOL,
        )


# OpenSSL's X509_V_ERR_…, docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
_VERIFY = {
    9: "the certificate is not valid yet",
    10: "the certificate has expired",
    18: "the certificate is self-signed",
    19: "the certificate chain ends in a self-signed certificate that is not trusted",
    20: "the certificate's issuer is not trusted, or the chain is incomplete",
    21: "the certificate's issuer is not trusted, or the chain is incomplete",
}

#: X509_V_ERR_UNSPECIFIED, which libcurl leaves where it was the name that differed.
_UNSPECIFIED = 1

_LEAST = {"1.2": pycurl.SSLVERSION_TLSv1_2, "1.3": pycurl.SSLVERSION_TLSv1_3}

_MOST = {"1.2": pycurl.SSLVERSION_MAX_TLSv1_2, "1.3": pycurl.SSLVERSION_MAX_TLSv1_3}

_NO_TLS = ("wrong version number", "http request", "packet length too long")


def secure(curl: pycurl.Curl, trust: Trust, bundle: str | None) -> None:
    """Set the TLS settings of libcurl; by default, it trusts certifi's authorities."""
    curl.setopt(pycurl.SSLVERSION, _LEAST[trust.minimum] | _MOST[trust.maximum])
    curl.setopt(pycurl.SSL_VERIFYPEER, int(trust.verify))
    curl.setopt(pycurl.SSL_VERIFYHOST, 2 if trust.verify else 0)
    curl.setopt(pycurl.OPT_CERTINFO, 1)
    if trust.ca:
        curl.setopt(pycurl.CAINFO_BLOB, trust.ca.encode())
    else:
        from certifi import where  # noqa: PLC0415 - needed only without a bundle of one's own

        curl.setopt(pycurl.CAINFO, bundle or where())
    if trust.certificate:
        curl.setopt(pycurl.SSLCERTTYPE, "PEM")
        curl.setopt(pycurl.SSLCERT_BLOB, trust.certificate.encode())
        curl.setopt(pycurl.SSLKEYTYPE, "PEM")
        curl.setopt(pycurl.SSLKEY_BLOB, (trust.key or trust.certificate).encode())


def peer_certificate(curl: pycurl.Curl) -> Certificate | None:
    """The certificate of the peer, if it presented one."""
    chain = curl.getinfo_raw(pycurl.INFO_CERTINFO)
    if not chain:
        return None
    values = {key.decode(): value.decode("utf-8", "replace") for key, value in chain[0]}
    return Certificate(
        subject=values.get("Subject", ""),
        issuer=values.get("Issuer", ""),
        serial=values.get("Serial Number", ""),
        not_before=_moment(values["Start date"]),
        not_after=_moment(values["Expire date"]),
        names=_names(values.get("X509v3 Subject Alternative Name", "")),
    )


def refused(curl: pycurl.Curl, place: str, name: str, message: str) -> str:
    """The reason why libcurl refused the certificate of the peer."""
    code = curl.getinfo(pycurl.SSL_VERIFYRESULT)
    if code > _UNSPECIFIED:
        return f"TLS: {place}: {_VERIFY.get(code, message)}"
    shown = peer_certificate(curl)
    if shown and shown.subject == shown.issuer:
        return f"TLS: {place}: {_VERIFY[18]}"
    names = f": it is for {', '.join(map(repr, shown.names))}" if shown else ""
    return (
        f"TLS: {place}: the certificate is not for {name!r}{names}; set target.host to "
        "a name of the certificate"
    )


def no_handshake(place: str, message: str) -> str:
    """The reason why the handshake failed, from libcurl's message."""
    if any(each in message for each in _NO_TLS):
        return f"TLS: {place} does not speak TLS"
    if "reset" in message or "SSL_ERROR_SYSCALL" in message or "EOF" in message:
        return f"{place} closed the connection in the TLS handshake"
    return f"TLS: the handshake with {place} failed: {message}"


def explain(place: str, error: OSError) -> str:
    """The reason why a handshake of Python's TLS with ``place`` failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        what = _VERIFY.get(error.verify_code, error.verify_message)
        return f"TLS: {place}: {what}"
    if isinstance(error, ssl.SSLError):
        if error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"}:
            return f"TLS: {place} does not speak TLS"
        return f"TLS: the handshake with {place} failed: {error.reason or error}"
    return (
        f"{place} closed the connection in the TLS handshake: {error.strerror or error}"
    )


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


def _names(text: str) -> tuple[str, ...]:
    parts: Sequence[str] = text.split(", ") if text else ()
    return tuple(each.partition(":")[2] for each in parts)
