"""Keep what validators print off standard output, in an output of limited size.

A Lambda function writes its metrics to standard output, so a line that a validator
prints could be read as a metric. While steps run, only Hookgate's own threads reach the
real streams. A step's thread prints into the output of its step; what other threads
print, such as those that a validator starts, is dropped.

Code that does not use ``sys.stdout`` bypasses this: ``os.write``, ``sys.__stdout__``,
code in C and child processes that inherit the descriptor.
"""

from __future__ import annotations

import contextlib
import contextvars
import io
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO, cast

from hookgate.codes import Code
from hookgate.errors import CannotMeasure

LIMIT = 64 * 1024


class StepOutput:
    """The output of one step, up to ``LIMIT`` characters."""

    def __init__(self) -> None:
        self._text = io.StringIO()
        self._size = 0

    def write(self, text: str) -> None:
        """Add ``text``.

        Raises:
            CannotMeasure: the step has printed more than the limit.
        """
        self.spend(len(text))
        self._text.write(text)

    def spend(self, size: int) -> None:
        """Count ``size`` characters that are written elsewhere, such as to the log.

        Raises:
            CannotMeasure: the step has printed more than the limit.
        """
        self._size += size
        if self.overflowed:
            raise CannotMeasure(TOO_MUCH, code=Code.STEP_OUTPUT)

    @property
    def overflowed(self) -> bool:
        """Whether the step printed too much, even if it caught the exception."""
        return self._size > LIMIT

    @property
    def text(self) -> str:
        """The text that was printed."""
        return self._text.getvalue()


#: The message for a step that printed more.
TOO_MUCH = f"the validator printed or logged more than {LIMIT // 1024} KiB"
_current: contextvars.ContextVar[StepOutput | None] = contextvars.ContextVar(
    "hookgate_step_output", default=None
)
#: Threads, not their idents, which later threads can get again.
_trusted: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def _is_trusted() -> bool:
    return threading.current_thread() in _trusted


class _Discard(io.RawIOBase):
    """Accepts bytes and drops them."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        return memoryview(data).nbytes


class _Router(io.TextIOBase):
    """Replaces a standard stream; only Hookgate's own threads reach the real one.

    It is not a terminal, so no live display draws through it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override] # read-only here, as anywhere
        return self._stream.encoding

    @property
    def buffer(self) -> BinaryIO:
        """The binary stream, for Hookgate's own threads only."""
        if _current.get() is None and _is_trusted():
            return self._stream.buffer
        return cast("BinaryIO", _Discard())

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        output = _current.get()
        if output is not None:
            output.write(text)
        elif _is_trusted():
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        if _current.get() is None and _is_trusted():
            self._stream.flush()

    def close(self) -> None:
        """Do nothing: no validator may close a standard stream."""


def _router(stream: TextIO) -> TextIO:
    return stream if isinstance(stream, _Router) else cast("TextIO", _Router(stream))


@contextlib.contextmanager
def routed_output() -> Iterator[None]:
    """Keep what validators print off the standard streams from now on.

    The calling thread may print, and at the first call those that run already. The
    routers stay afterwards, because an abandoned step may print at any time. Code that
    replaces ``sys.stdout`` later bypasses them until the next call.
    """
    _trusted.update({threading.current_thread()} if _trusted else threading.enumerate())
    out, err = _router(sys.stdout), _router(sys.stderr)
    sys.stdout, sys.stderr = out, err
    try:
        yield
    finally:
        # An abandoned step may have replaced them.
        sys.stdout, sys.stderr = out, err


def open_step_output() -> StepOutput:
    """Collect what the calling thread prints in a new output."""
    output = StepOutput()
    _current.set(output)
    return output
