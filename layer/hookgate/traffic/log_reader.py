"""Reads an access log piece by piece: plain or gzip, within bounds."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure
from hookgate.traffic.sample import Sample

#: The most that is read of one log once it is unpacked, in bytes.
MOST = 4 * 1024**3
#: Longer than any entry: a line that is longer is none, and is not kept.
MAX_LINE = 64 * 1024
_PIECE = 1024 * 1024
_GZIP = b"\x1f\x8b"
_NO_ENTRY = b"-"  # stands for a line that was too long to keep


def read(raw: BinaryIO, sample: Sample, place: str, deadline: Deadline) -> None:
    """Have ``sample`` look at every line of a log.

    Raises:
        CannotMeasure: it cannot be read to its end, or not in time.
    """
    rest, size, skipping = b"", 0, False
    for piece in _pieces(raw, place):
        size += len(piece)
        if size > MOST or deadline.expired:
            raise CannotMeasure(
                f"{place} is too large: {sample.lines} lines were read in time; take "
                "a smaller log",
                code=Code.TRAFFIC_LOG,
            )
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        if skipping and lines:
            lines[0], skipping = _NO_ENTRY, False
        if len(rest) > MAX_LINE:
            rest, skipping = b"", True
        sample.take(lines)
    sample.take([_NO_ENTRY] if skipping else [rest] if rest else [])


def _pieces(raw: BinaryIO, place: str) -> Iterator[bytes]:
    try:
        yield from _unpacked(raw)
    except Exception as error:  # a body's errors are its library's own
        raise CannotMeasure(
            f"{place} could not be read to its end: {type(error).__name__}: {error}",
            code=Code.S3_OBJECT,
        ) from error


def _unpacked(raw: BinaryIO) -> Iterator[bytes]:
    first = raw.read(_PIECE)
    if not first.startswith(_GZIP):
        yield first
        yield from iter(lambda: raw.read(_PIECE), b"")
        return
    packed: Any = _Again(first, raw.read)  # read() is all that is asked of it
    with gzip.GzipFile(fileobj=packed) as unpacked:
        yield from iter(lambda: unpacked.read(_PIECE), b"")


class _Again:
    """A stream whose beginning was read already."""

    def __init__(self, first: bytes, more: Callable[[int], bytes]) -> None:
        self._first = first
        self._more = more

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes."""
        if not self._first:
            return self._more(size)
        piece, self._first = self._first[:size], self._first[size:]
        return piece
