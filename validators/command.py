"""``use: command``."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Annotated, Any, ClassVar

from pydantic import Field

from hookgate import (
    CannotMeasure,
    DeploymentContext,
    Duration,
    Finding,
    Tools,
    Validator,
)
from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.external_checks import MAX_ANSWER, foreign_findings, foreign_question
from hookgate.redaction import masked
from hookgate.units import seconds_text

_Word = Annotated[str, Field(min_length=1, max_length=4096)]

_PIECE = 64 * 1024

_MAX_ERROR = 500


class Command(Validator):
    """Does a program on this machine accept the new version?

    It reads the deployment as JSON (RFC 8259) from standard input and writes findings
    to standard output, ``{"findings": [{"ok": true, "summary": "…"}]}``. Other output
    is an error, and so is an exit code other than 0. It runs without a shell, and is
    killed with all its child processes. Only ``hookgate run`` can use it, because
    Lambda has no such program.

    Example:
        - use: command
          with:
            run: [./judge, --strict]
            input: {orders: 3}
            timeout: 30s
    """

    only_run: ClassVar[bool] = True

    run: tuple[_Word, ...] = Field(
        min_length=1,
        max_length=100,
        description="The program and its arguments; it gets the environment of "
        "hookgate.",
    )
    input: Mapping[str, Any] = Field(
        {}, description="Further input for the program, under the key input."
    )
    timeout: Duration = Field(
        60.0, gt=0, le=900, description="Maximum time of the program."
    )

    def worst_case(self) -> float:
        """The timeout."""
        return self.timeout

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Run the program, and yield its findings."""
        question = foreign_question(context, self.input)
        deadline = tools.deadline.within(self.timeout)
        output = run_child(self.run, question, deadline=deadline, most=MAX_ANSWER)
        yield from foreign_findings(output, self.run[0])


def run_child(
    command: Sequence[str], document: bytes, *, deadline: Deadline, most: int
) -> bytes:
    """Run ``command`` with ``document`` as its input, and return its output.

    At the end, its whole process group is killed.

    Raises:
        CannotMeasure: it could not start, failed, took too long or wrote too much.
    """
    limit = seconds_text(deadline.remaining)
    with tempfile.TemporaryFile() as given:
        given.write(document)
        given.seek(0)
        try:
            child = subprocess.Popen(  # noqa: S603 - the command of the plan, without a shell
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
    fault = ""
    with child:
        try:
            written, errors = _read(child, deadline, most)
            code = child.wait(deadline.remaining)
        except (TimeoutError, subprocess.TimeoutExpired):
            fault = f"did not end within {limit} and was killed"
        except OverflowError:
            fault = f"wrote more than {most} bytes and was killed"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    if not fault and code != 0:
        output = masked(errors.decode("utf-8", "replace")).strip()[-_MAX_ERROR:]
        ended = f"signal {-code}" if code < 0 else f"exit code {code}"
        fault = f"failed ({ended}): {output or 'no error output'}"
    if fault:
        raise CannotMeasure(f"{command[0]} {fault}", code=Code.COMMAND_FAILED)
    return written


def _read(
    child: subprocess.Popen[bytes], deadline: Deadline, most: int
) -> tuple[bytes, bytes]:
    """Read both streams to their ends.

    Raises:
        TimeoutError: a stream did not end in time.
        OverflowError: a stream has more than ``most`` bytes.
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
