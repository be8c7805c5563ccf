"""Checks outside Hookgate: a Lambda function or a program of the user.

Both get the deployment as a JSON document and return findings as another.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import IO, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hookgate.codes import Code
from hookgate.context import DeploymentContext, Endpoint, Side
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure
from hookgate.model import Finding
from hookgate.redaction import masked
from hookgate.units import seconds_text

SCHEMA = "hookgate.question/1"

#: Maximum size of a response, in bytes.
MAX_ANSWER = 256 * 1024


class _Stated(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    ok: bool
    summary: str = Field(min_length=1)
    evidence: dict[str, Any] = {}
    code: str = Field("", max_length=100)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    findings: list[_Stated] = Field(min_length=1, max_length=1000)


def foreign_question(
    context: DeploymentContext, given: Mapping[str, Any]
) -> dict[str, Any]:
    """The input of an external check: the deployment, both sides, the step's input.

    Args:
        context: the deployment, without environment variables and labels of containers,
            which may have secrets.
        given: the step's ``with.input``.
    """
    deployment = context.deployment
    return {
        "schema": SCHEMA,
        "event": str(context.event),
        "deployment": deployment
        and {
            "id": deployment.id,
            "application": deployment.application,
            "group": deployment.group,
            "cluster": deployment.cluster,
            "service": deployment.service,
        },
        "blue": _side(context.blue),
        "green": _side(context.green),
        "test_listener": _url(context.test),
        "production_listener": _url(context.production),
        "input": dict(given),
    }


def foreign_findings(body: bytes, who: str) -> tuple[Finding, ...]:
    """Read ``{"findings": [{"ok": true, "summary": "…", "evidence": {…}}]}``.

    Args:
        body: the answer.
        who: the check, for messages.

    Raises:
        CannotMeasure: it is too large, not JSON, of another shape, or has no finding.
    """
    if len(body) > MAX_ANSWER:
        raise CannotMeasure(
            f"the response of {who} is larger than {MAX_ANSWER // 1024} KiB",
            code=Code.FOREIGN_ANSWER,
        )
    try:
        read = _Answer.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the response"
        raise CannotMeasure(
            f"the response of {who} is not valid: {where}: {first['msg']}; write "
            '{"findings": [{"ok": true, "summary": "…"}]}',
            code=Code.FOREIGN_ANSWER,
        ) from None
    return tuple(
        Finding(
            ok=each.ok, code=each.code, summary=each.summary, evidence=each.evidence
        )
        for each in read.findings
    )


def foreign_document(question: Mapping[str, Any]) -> bytes:
    """The input as JSON."""
    return json.dumps(question).encode()


def _side(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    running = side.task_set
    return {
        "target_group": side.target_group.arn,
        "task_set": running and running.id,
        "task_definition": running and running.task_definition_arn,
    }


def _url(endpoint: Endpoint | None) -> str | None:
    return endpoint.url if endpoint else None


_PIECE = 64 * 1024

_MAX_ERROR = 500


def run_child(
    command: Sequence[str], document: bytes, *, deadline: Deadline, most: int
) -> bytes:
    """Run ``command`` with ``document`` as its input, and return its output.

    At the end, its whole process group is killed.

    Args:
        command: the program and its arguments, without a shell.
        document: its standard input.
        deadline: when it must have ended.
        most: maximum size of each output stream, in bytes.

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
    with child:
        try:
            written, errors = _read(child, deadline, most)
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
        output = masked(errors.decode("utf-8", "replace")).strip()[-_MAX_ERROR:]
        ended = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise CannotMeasure(
            f"{command[0]} failed ({ended}): {output or 'no error output'}",
            code=Code.COMMAND_FAILED,
        )
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
