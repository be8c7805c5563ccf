"""One HTTP exchange: its connection, its response, and who gave the response."""

from __future__ import annotations

import errno
import re
import socket
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hookgate.codes import Code
from hookgate.context import Endpoint
from hookgate.deadline import Deadline
from hookgate.errors import NoAnswer, NotGreen
from hookgate.http.address import AddressPolicy, families, join_address
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
        return join_address(self.endpoint.address, self.endpoint.port)

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
        found = self.policy.resolve(self.endpoint, seconds=self.remaining())
        addresses = families(found, self.ip, self.endpoint.address)
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

    def _open(self, address: str, seconds: float) -> socket.socket:
        place = (address, self.endpoint.port)
        opened = socket.create_connection(place, timeout=seconds)
        try:
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


Fields = Iterable[tuple[str, str]]

#: How zlib names the formats.
_GZIP, _ZLIB, _RAW = 31, 15, -15


class BodyError(Exception):
    """A body is not what its Content-Encoding says, or is too large; says which."""


class _Zlib:
    """gzip (RFC 1952) and deflate (RFC 1950; raw RFC 1951 is in use as well)."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._start = b""
        self._stream: Any = zlib.decompressobj(bits) if bits == _GZIP else None

    def take(self, data: bytes, most: int) -> bytes:
        """The next bytes, not many more than ``most``."""
        if self._stream is None:
            self._start += data
            if len(self._start) < 2:
                return b""
            data = self._start
            is_zlib = data[0] & 15 == 8 and int.from_bytes(data[:2]) % 31 == 0
            self._stream = zlib.decompressobj(_ZLIB if is_zlib else _RAW)
        pieces, size = [], 0
        while data and size <= most:
            if self._stream.eof:
                self._next_member()
            pieces.append(self._stream.decompress(data, most + 1 - size))
            size += len(pieces[-1])
            data = self._stream.unconsumed_tail or self._stream.unused_data
        return b"".join(pieces)

    def _next_member(self) -> None:
        if self._bits != _GZIP:
            raise BodyError("there are bytes after its end")
        self._stream = zlib.decompressobj(_GZIP)

    @property
    def is_complete(self) -> bool:
        return self._stream is not None and self._stream.eof


class _Brotli:
    """RFC 7932."""

    def __init__(self) -> None:
        import brotli  # noqa: PLC0415 - few responses need it

        self._stream: Any = brotli.Decompressor()
        self._error = brotli.error

    def take(self, data: bytes, most: int) -> bytes:
        try:
            found: bytes = self._stream.process(data, output_buffer_limit=most + 1)
        except self._error as error:
            raise BodyError(str(error)) from None
        return found

    @property
    def is_complete(self) -> bool:
        return bool(self._stream.is_finished())


@dataclass(slots=True)
class Decoder:
    """Decodes a body piece by piece.

    Args:
        decompressors: one for each encoding, the last applied first.
        most: the largest body, in bytes after decoding.
    """

    decompressors: Sequence[_Zlib | _Brotli]
    most: int
    _size: int = 0
    _began: bool = False

    @classmethod
    def of(cls, fields: Fields, most: int) -> Decoder:
        """The decoder of a response with these headers.

        Raises:
            BodyError: an encoding is not supported.
        """
        values = [text for name, text in fields if name.lower() == "content-encoding"]
        names = [each.strip().lower() for each in ",".join(values).split(",")]
        applied = [each for each in names if each not in {"", "identity"}]
        if len(applied) > 3:
            raise BodyError("it has more than 3 encodings")
        return cls([_decompressor(each) for each in reversed(applied)], most)

    def take(self, piece: bytes) -> bytes:
        """What a piece decodes to.

        Raises:
            BodyError: it is not so encoded, or the body is larger than ``most``.
        """
        self._began |= bool(piece)
        left = self.most - self._size
        for each in self.decompressors:
            try:
                piece = each.take(piece, left)
            except zlib.error as error:
                raise BodyError(str(error)) from None
        self._size += len(piece)
        if self._size > self.most:
            raise TooLarge(f"the body is larger than {self.most} bytes")
        return piece

    def end(self) -> None:
        """Demand that the body is complete; an empty one is.

        Raises:
            BodyError: it is truncated.
        """
        if self._began and not all(each.is_complete for each in self.decompressors):
            raise BodyError("it is truncated")


class TooLarge(BodyError):
    """A body is larger than the bound."""


def _decompressor(name: str) -> _Zlib | _Brotli:
    if name in {"gzip", "x-gzip"}:  # RFC 9110, 8.4.1: both names mean gzip
        return _Zlib(_GZIP)
    if name == "deflate":
        return _Zlib(_ZLIB)
    if name == "br":
        return _Brotli()
    raise BodyError(f"{masked(name)[:20]!r} is not supported: gzip, deflate and br are")


def _add_field(fields: list[tuple[str, str]], line: bytes) -> None:
    """Add a line of a head to the headers; a folded one continues the last header."""
    text = line.decode("latin-1")
    if line[:1] in b" \t" and fields:  # RFC 9112, 5.2
        name, so_far = fields[-1]
        fields[-1] = name, f"{so_far} {text.strip()}"
    else:
        name, _, value = text.partition(":")
        fields.append((name.strip(), value.strip()))


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
        return self._take(self._add_line, line)

    def take_body(self, piece: bytes) -> int | None:
        """Take a piece of the body, as ``take_header`` does."""
        return self._take(self._add_piece, piece)

    def _take(self, add: Callable[[bytes], None], data: bytes) -> int | None:
        try:
            add(data)
        except NoAnswer as error:
            self.trouble = error
            return -1
        return None

    def _add_line(self, line: bytes) -> None:
        self.exchange.received += len(line)
        self._head += len(line)
        self.exchange.phase = Phase.HEADERS
        if self._head > MAX_HEAD:
            raise self._no_http(TOO_LONG)
        if self.complete:
            return  # A trailer.
        if line.startswith(b"HTTP/"):
            match = _STATUS.match(line)
            if not match:
                raise self._no_http("no status line", line)
            # Interim responses such as 103 are skipped (RFC 9110, 15.2).
            self.status = int(match[1])
            self.fields.clear()
        elif not line.strip():
            self.complete = self.status >= 200
            self.exchange.phase = Phase.BODY if self.complete else Phase.HEADERS
        elif b":" not in line and not (line[:1] in b" \t" and self.fields):
            raise self._no_http("a header line has no colon")
        else:
            _add_field(self.fields, line)
            if len(self.fields) > MAX_HEADERS:
                raise self._no_http(f"it has more than {MAX_HEADERS} headers")

    def _add_piece(self, piece: bytes) -> None:
        if not self.status:
            raise self._no_http("no status line", piece)
        try:
            if self._decoder is None:
                fields = self.fields if self.decodes else ()
                self._decoder = Decoder.of(fields, self.max_body)
            self._body.append(self._decoder.take(piece))
        except BodyError as error:
            raise self._unreadable(error) from None

    def end(self) -> None:
        """Check that the response is complete.

        Raises:
            NoAnswer: its headers or its body are incomplete.
        """
        if not self.complete:
            raise self._no_http("it closed the connection before its headers ended")
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

    def _no_http(self, why: str, began: bytes = b"") -> NoAnswer:
        what = f"{self.exchange.place} did not respond with HTTP: {why}"
        if began.startswith(_TLS_ALERT):
            what = f"{self.exchange.place} speaks TLS where plain HTTP was expected"
        elif began:
            # Masked before it is cut: a mask does not know half a secret.
            shown = masked(began.decode("utf-8", "backslashreplace"))[:40]
            what += f"; the response begins with {shown!r}"
        return NoAnswer(what, code=Code.HTTP_PROTOCOL)


def other_than_green(fields: Fields, header: str, value: str) -> str:
    """Who gave a response; empty if its headers identify the replacement task set.

    Args:
        fields: every header of the final response, without those of interim responses
            such as 103 and without trailers: neither identifies anything.
        header: the name of the identity header, in any case.
        value: the value of the replacement task set, in exactly one such header.
    """
    wanted, values, server = header.lower(), list[str](), ""
    for name, text in fields:
        if name.lower() == wanted:
            values.append(text)
        elif name.lower() == "server":
            server = text
    if values == [value]:
        return ""
    if values:
        return ", ".join(repr(masked(each)[:100]) for each in values[:5])
    if server.startswith("awselb"):
        return f"the load balancer itself (no header {header})"
    return f"an unidentified server (no header {header})"


def demand_green(fields: Fields, identity: tuple[str, str]) -> None:
    """Check that a response with these headers is from the replacement task set.

    Raises:
        NotGreen: it did not identify itself; names who responded instead.
    """
    header, value = identity
    who = other_than_green(fields, header, value)
    if who:
        raise NotGreen(
            f"answered by {who}, not by the replacement task set ({value!r}): "
            f"header {header}"
        )


def final_fields(head: Iterable[bytes]) -> list[tuple[str, str]]:
    """The headers of the final response among the lines that libcurl hands over.

    Interim responses come before it (RFC 9110, 15.2) and trailers after it.
    """
    fields: list[tuple[str, str]] = []
    final = False
    for line in head:
        if line.startswith(b"HTTP/"):
            fields.clear()
            final = line.partition(b" ")[2][:1] != b"1"
        elif not line.strip():
            if final:
                break
        else:
            _add_field(fields, line)
    return fields


@dataclass(frozen=True, slots=True)
class IdentityCheck:
    """The identity check of many responses, with a shortcut for the usual head.

    Args:
        header: the identity header.
        value: its value in responses of the replacement task set.
        wanted: whether the replacement should respond; the baseline should not.
        lines: the header's line in its usual spellings.
        start: how the line begins after the one before it, in lower case.
    """

    header: str
    value: str
    wanted: bool
    lines: frozenset[bytes]
    start: bytes

    @classmethod
    def of(
        cls, identity: tuple[str, str] | None, *, wanted: bool
    ) -> IdentityCheck | None:
        """The check of a plan's ``target.identity``, if it has one."""
        if identity is None:
            return None
        name, value = identity
        spellings = {name, name.lower()}  # HTTP/2 has names in lower case.
        usual = {f"{each}: {value}\r\n" for each in spellings if value.isascii()}
        lines = frozenset(each.encode() for each in usual)
        return cls(name, value, wanted, lines, f"\n{name.lower()}".encode())

    def unexpected(self, head: list[bytes]) -> str:
        """Who gave an unexpected response; empty if it is as expected."""
        if self.wanted and self._is_plainly_green(head):
            return ""
        fields = final_fields(head)
        if self.wanted:
            return other_than_green(fields, self.header, self.value)
        wanted = (self.header.lower(), self.value)
        return self.value if wanted in ((n.lower(), v) for n, v in fields) else ""

    def _is_plainly_green(self, head: list[bytes]) -> bool:
        """Whether there is one head, without folds and trailers, and one such line."""
        if self.lines.isdisjoint(head) or head[-1] != b"\r\n":
            return False
        text = b"".join(head).lower()
        return (
            head.count(b"\r\n") == text.count(self.start) == 1
            and b"\n " not in text
            and b"\n\t" not in text
        )
