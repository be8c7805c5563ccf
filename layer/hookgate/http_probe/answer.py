"""What comes back of one request, taken in within bounds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from hookgate.codes import Code
from hookgate.errors import NoAnswer
from hookgate.http_probe.exchange import Exchange, Phase
from hookgate.http_probe.response import BodyError, Decoder, TooLarge
from hookgate.redaction import masked

MAX_HEAD = 48 * 1024
MAX_HEADERS = 100
TOO_LONG = f"its headers are larger than {MAX_HEAD // 1024} KiB"

_STATUS = re.compile(rb"HTTP/(?:1\.[01]|2|3) ([1-5]\d\d)(?: |\r?\n)")
_TLS_ALERT = b"\x15\x03"  # RFC 8446, 5.1


@dataclass(slots=True)
class Answer:
    """Takes what libcurl hands over; ``trouble`` is why it was told to stop.

    ``decodes`` is whether the body is decoded as its Content-Encoding says.
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
        """The headers by the name they first came with; equal ones are joined."""
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
        """Take a line of the head; libcurl stops at any other count than its own."""
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
        """Begin a head; interim answers such as 103 are read past (RFC 9110, 15.2)."""
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
        """Demand that all of the response came.

        Raises:
            NoAnswer: its headers or its body are incomplete.
        """
        if not self.complete:
            raise NoAnswer(
                f"{self.exchange.place} answered, but not in HTTP: it closed the "
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
            f"the body is not what its Content-Encoding says: {error}",
            code=Code.HTTP_ENCODING,
        )

    def _stop(self, why: str) -> int:
        place = self.exchange.place
        self.trouble = NoAnswer(
            f"{place} answered, but not in HTTP: {why}", code=Code.HTTP_PROTOCOL
        )
        return -1

    def no_http(self, why: str, began: bytes) -> NoAnswer:
        """What to raise when something came that is no HTTP."""
        place = self.exchange.place
        if began.startswith(_TLS_ALERT):
            return NoAnswer(
                f"{place} speaks TLS where plain HTTP was expected",
                code=Code.HTTP_PROTOCOL,
            )
        # Masked before it is cut: a mask does not know half a secret.
        shown = masked(began[:4096].decode("utf-8", "backslashreplace"))[:40]
        return NoAnswer(
            f"{place} answered, but not in HTTP: {why}; the answer begins with "
            f"{shown!r}",
            code=Code.HTTP_PROTOCOL,
        )
