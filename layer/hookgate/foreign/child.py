"""Run a program of the user's within bounds, and leave none of it behind."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from typing import IO

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure
from hookgate.redaction import masked
from hookgate.units import seconds_text

_PIECE = 64 * 1024
_TOLD = 500


def run_child(
    command: Sequence[str], document: bytes, *, deadline: Deadline, most: int
) -> bytes:
    """Run ``command``, which reads ``document``, and return what it writes.

    Its whole process group is killed at the end, whatever the end is.

    Args:
        command: the program and its arguments; no shell reads them.
        document: its standard input.
        deadline: by when it must have ended.
        most: the largest output, in bytes, of each of its two streams.

    Raises:
        CannotMeasure: it could not be started, failed, took too long or wrote too much.
    """
    limit = seconds_text(deadline.remaining)
    with tempfile.TemporaryFile() as given:
        given.write(document)
        given.seek(0)
        try:
            child = subprocess.Popen(  # noqa: S603 - the plan's own words, without a shell
                command,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise CannotMeasure(
                f"{command[0]} cannot be run: {error.strerror or error}",
                code=Code.COMMAND_MISSING,
            ) from None
    with child:
        try:
            written, complaints = _read(child, deadline, most)
            code = child.wait(deadline.remaining)
        except (TimeoutError, subprocess.TimeoutExpired):
            raise CannotMeasure(
                f"{command[0]} did not end within {limit} and was killed",
                code=Code.COMMAND_FAILED,
            ) from None
        except OverflowError:
            raise CannotMeasure(
                f"{command[0]} wrote more than {most} bytes and was killed",
                code=Code.COMMAND_FAILED,
            ) from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    if code != 0:
        said = masked(complaints.decode("utf-8", "replace")).strip()[-_TOLD:]
        ended = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise CannotMeasure(
            f"{command[0]} failed ({ended}): {said or 'no word why'}",
            code=Code.COMMAND_FAILED,
        )
    return written


def _read(
    child: subprocess.Popen[bytes], deadline: Deadline, most: int
) -> tuple[bytes, bytes]:
    """Both streams, each until its end.

    Raises:
        TimeoutError: an end did not come in time.
        OverflowError: more than ``most`` bytes came.
    """
    streams: list[IO[bytes]] = [each for each in (child.stdout, child.stderr) if each]
    read = {stream.fileno(): bytearray() for stream in streams}
    with selectors.DefaultSelector() as selector:
        for each in read:
            selector.register(each, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(deadline.remaining)
            if not ready or deadline.expired:
                raise TimeoutError
            for key, _ in ready:
                piece = os.read(key.fd, _PIECE)
                read[key.fd] += piece
                if not piece:
                    selector.unregister(key.fd)
                if len(read[key.fd]) > most:
                    raise OverflowError
    first, second = read.values()
    return bytes(first), bytes(second)
