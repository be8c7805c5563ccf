"""Check a response: the identity header, and the decoding of the body."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hookgate.errors import NotGreen

Fields = Iterable[tuple[str, str]]

#: RFC 9110, 8.4.1: gzip is also called x-gzip.
_GZIP, _ZLIB, _RAW = 31, 15, -15


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
        return ", ".join(repr(each[:100]) for each in values[:5])
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
        elif line[:1] in b" \t" and fields:  # RFC 9112, 5.2
            name, so_far = fields[-1]
            fields[-1] = name, f"{so_far} {line.decode('latin-1').strip()}"
        else:
            name, _, text = line.decode("latin-1").partition(":")
            fields.append((name.strip(), text.strip()))
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


class BodyError(Exception):
    """A body is not what its Content-Encoding says, or is too large; says which."""


class _Decompressor(Protocol):
    """Undoes one encoding."""

    def take(self, data: bytes, most: int) -> bytes:
        """The next bytes, not many more than ``most``."""
        ...

    @property
    def is_complete(self) -> bool:
        """Whether the encoded data is complete."""
        ...


class _Zlib:
    """gzip (RFC 1952) and deflate (RFC 1950; raw RFC 1951 is in use as well)."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._start = b""
        self._stream: Any = zlib.decompressobj(bits) if bits == _GZIP else None

    def take(self, data: bytes, most: int) -> bytes:
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

    decompressors: Sequence[_Decompressor]
    most: int
    _size: int = 0
    _began: bool = field(default=False)

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
        self._began = self._began or bool(piece)
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


def _decompressor(name: str) -> _Decompressor:
    if name in {"gzip", "x-gzip"}:
        return _Zlib(_GZIP)
    if name == "deflate":
        return _Zlib(_ZLIB)
    if name == "br":
        return _Brotli()
    raise BodyError(f"{name[:20]!r} is not supported: gzip, deflate and br are")
