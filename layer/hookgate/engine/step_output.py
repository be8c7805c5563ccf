"""What a validator prints belongs to its step: bounded, and kept off standard output.

Standard output of a Lambda function is where metrics are written, so a stray line
there could pass for one.
"""

from __future__ import annotations

import contextlib
import contextvars
import io
import sys
from collections.abc import Iterator
from typing import TextIO

from hookgate.errors import CannotMeasure

LIMIT = 64 * 1024


class StepOutput:
    """What one step has printed so far, up to ``LIMIT`` characters."""

    def __init__(self) -> None:
        self._text = io.StringIO()
        self._size = 0

    def write(self, text: str) -> None:
        """Keep ``text``.

        Raises:
            CannotMeasure: the step has printed more than the limit.
        """
        self._size += len(text)
        if self.overflowed:
            raise CannotMeasure(_TOO_MUCH)
        self._text.write(text)

    @property
    def overflowed(self) -> bool:
        """Whether the step printed more than it may, even if it hid the exception."""
        return self._size > LIMIT

    @property
    def text(self) -> str:
        """What was printed."""
        return self._text.getvalue()


_TOO_MUCH = f"the validator printed more than {LIMIT // 1024} KiB"
_current: contextvars.ContextVar[StepOutput | None]
_current = contextvars.ContextVar("hookgate_step_output", default=None)


class _Router(io.TextIOBase):
    """Stands in for a standard stream and sends each step's words to its own output."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        output = _current.get()
        if output is None:
            return self._stream.write(text)
        output.write(text)
        return len(text)

    def flush(self) -> None:
        if _current.get() is None:
            self._stream.flush()


@contextlib.contextmanager
def routed_output() -> Iterator[None]:
    """Route what steps print while they are judged."""
    with (
        contextlib.redirect_stdout(_Router(sys.stdout)),
        contextlib.redirect_stderr(_Router(sys.stderr)),
    ):
        yield


def open_step_output() -> StepOutput:
    """Make the calling thread's prints go to a new output."""
    output = StepOutput()
    _current.set(output)
    return output
