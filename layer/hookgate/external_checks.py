"""A judgement made outside Hookgate: what it is told, and how its answer is read.

The same two JSON documents for a function of the user's and for a command: the
deployment goes in, findings come out.
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

#: The largest answer that is read, in bytes.
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
    """What a foreign judge is told: the deployment, both sides, and the step's own.

    Args:
        context: the deployment; environment variables and labels of its containers
            are not passed on.
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
        who: gave it, for the reason.

    Raises:
        CannotMeasure: it is too long, not JSON, of another shape, or without a finding.
    """
    if len(body) > MAX_ANSWER:
        raise CannotMeasure(
            f"{who} answered more than {MAX_ANSWER // 1024} KiB",
            code=Code.FOREIGN_ANSWER,
        )
    try:
        read = _Answer.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the answer"
        raise CannotMeasure(
            f"{who} did not answer as it must: {where}: {first['msg']}; write "
            '{"findings": [{"ok": true, "summary": "…"}]}',
            code=Code.FOREIGN_ANSWER,
        ) from None
    return tuple(
        Finding(
            ok=each.ok, code=each.code, summary=each.summary, evidence=each.evidence
        )
        for each in read.findings
    )


def foreign_document(told: Mapping[str, Any]) -> bytes:
    """A question as bytes."""
    return json.dumps(told).encode()


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
