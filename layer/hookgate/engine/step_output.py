"""What a validator prints belongs to its step: bounded, and kept off standard output.

Standard output of a Lambda function is where metrics are written, so a stray line
there could pass for one. Once a judgement began, only the threads that Hookgate itself
runs in reach the real streams: a step's thread prints into its own output, and what
any other thread prints, such as one that a validator started, is dropped.

This keeps accidents off, and anybody who only prints. What does not go through
``sys.stdout`` bypasses it: ``os.write``, ``sys.__stdout__``, code in C, child
processes that inherit the descriptor.
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
    """What one step has printed and logged so far, up to ``LIMIT`` characters."""

    def __init__(self) -> None:
        self._text = io.StringIO()
        self._size = 0

    def write(self, text: str) -> None:
        """Keep ``text``.

        Raises:
            CannotMeasure: the step has printed more than the limit.
        """
        self.spend(len(text))
        self._text.write(text)

    def spend(self, size: int) -> None:
        """Count ``size`` characters that go elsewhere, such as to the log.

        Raises:
            CannotMeasure: the step has printed more than the limit.
        """
        self._size += size
        if self.overflowed:
            raise CannotMeasure(TOO_MUCH, code=Code.STEP_OUTPUT)

    @property
    def overflowed(self) -> bool:
        """Whether the step printed more than it may, even if it hid the exception."""
        return self._size > LIMIT

    @property
    def text(self) -> str:
        """What was printed."""
        return self._text.getvalue()


#: What a step that printed more is told, and its outcome says.
TOO_MUCH = f"the validator printed or logged more than {LIMIT // 1024} KiB"
_current: contextvars.ContextVar[StepOutput | None]
_current = contextvars.ContextVar("hookgate_step_output", default=None)
#: Threads, not their idents: those are given again to later threads.
_trusted: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def _is_trusted() -> bool:
    return threading.current_thread() in _trusted


class _Bin(io.RawIOBase):
    """Takes bytes and keeps none."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        return memoryview(data).nbytes


class _Router(io.TextIOBase):
    """Stands in for a standard stream and lets only Hookgate's own words through.

    It is no terminal: a live display on one would draw through it without an end.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override] # read-only here, as anywhere
        return self._stream.encoding

    @property
    def buffer(self) -> BinaryIO:
        """The bytes beneath the text, for Hookgate's own threads only."""
        if _current.get() is None and _is_trusted():
            return self._stream.buffer
        return cast("BinaryIO", _Bin())

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
        """Do nothing: a standard stream is not a validator's to close."""


def _router(stream: TextIO) -> TextIO:
    return stream if isinstance(stream, _Router) else cast("TextIO", _Router(stream))


@contextlib.contextmanager
def routed_output() -> Iterator[None]:
    """Keep foreign prints off the standard streams, from now on and afterwards.

    The calling thread is trusted, and at the first call those that run already. The
    routers stay, because threads do: a step that was given up may print at any time.
    Whoever replaces ``sys.stdout`` afterwards wins until the next call.
    """
    _trusted.update({threading.current_thread()} if _trusted else threading.enumerate())
    out, err = _router(sys.stdout), _router(sys.stderr)
    sys.stdout, sys.stderr = out, err
    try:
        yield
    finally:
        # A step that was given up may have left a stream of its own in their place.
        sys.stdout, sys.stderr = out, err


def open_step_output() -> StepOutput:
    """Make the calling thread's prints go to a new output."""
    output = StepOutput()
    _current.set(output)
    return output
