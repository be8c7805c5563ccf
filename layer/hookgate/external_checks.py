"""Checks outside Hookgate: a Lambda function or a program of the user.

Both get the deployment as a JSON document and return findings as another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hookgate.codes import Code
from hookgate.context import DeploymentContext, Endpoint, Side
from hookgate.errors import CannotMeasure
from hookgate.model import Finding

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


def foreign_question(context: DeploymentContext, given: Mapping[str, Any]) -> bytes:
    """The input of an external check: the deployment, both sides, the step's input.

    Args:
        context: the deployment, without environment variables and labels of containers,
            which may have secrets.
        given: the step's ``with.input``.
    """
    deployment = context.deployment
    question = {
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
    return json.dumps(question).encode()


def foreign_findings(body: bytes, who: str) -> tuple[Finding, ...]:
    """Read ``{"findings": [{"ok": true, "summary": "…", "evidence": {…}}]}``.

    Args:
        body: the response.
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
