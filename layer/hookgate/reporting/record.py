"""The verdict record ``hookgate.verdict/1`` of the log and of the return value."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from hookgate.context import DeploymentInfo
from hookgate.errors import PlanOrigin
from hookgate.model import Outcome, Verdict

SCHEMA = "hookgate.verdict/1"
#: CloudWatch Logs cuts an event at 256 KiB; a Lambda response has at most 6 MB.
MAX_RECORD = 200_000
#: The maximum size of one character in JSON: two escapes of six.
_JSON_MOST = 12


def verdict_record(
    verdict: Verdict, deployment: DeploymentInfo | None
) -> dict[str, Any]:
    """The record of a verdict; ``deployment`` is None if it is not known."""
    return {
        "schema": SCHEMA,
        "status": str(verdict.status),
        "event": str(verdict.event),
        "deployment": None if deployment is None else _deployment(deployment),
        "plan": None if verdict.plan is None else plan_record(verdict.plan),
        "started_at": verdict.started_at.astimezone(UTC).isoformat(),
        "duration_ms": verdict.duration_ms,
        "optouts": list(verdict.waivers),
        "outcomes": [outcome_record(each) for each in verdict.outcomes],
    }


def bounded_record(
    verdict: Verdict, deployment: DeploymentInfo | None
) -> dict[str, Any]:
    """The record of a verdict in at most ``MAX_RECORD`` bytes.

    A larger record is written without evidence, then without findings, then with
    reasons that are cut.
    """
    record = verdict_record(verdict, deployment)
    for lighter in (_without_evidence, _without_findings):
        if len(json.dumps(record)) <= MAX_RECORD:
            return record
        record["outcomes"] = [lighter(each) for each in record["outcomes"]]
    if len(json.dumps(record)) > MAX_RECORD:
        _cut_texts(record)
    return record


def plan_record(plan: PlanOrigin) -> dict[str, str | None]:
    """The record of a plan's source and version."""
    return {"source": plan.source, "version": plan.version, "sha256": plan.sha256}


def outcome_record(outcome: Outcome) -> dict[str, Any]:
    """The record of one step."""
    return {
        "name": outcome.name,
        "use": outcome.use,
        "status": str(outcome.status),
        "blocking": outcome.blocking,
        "reason": outcome.reason,
        "code": outcome.code,
        "duration_ms": outcome.duration_ms,
        "findings": [
            {
                "ok": each.ok,
                "code": each.code,
                "summary": each.summary,
                "evidence": dict(each.evidence),
            }
            for each in outcome.findings
        ],
    }


def _without_evidence(outcome: dict[str, Any]) -> dict[str, Any]:
    findings = [{**each, "evidence": {}} for each in outcome["findings"]]
    return {**outcome, "findings": findings}


def _without_findings(outcome: dict[str, Any]) -> dict[str, Any]:
    return {**outcome, "findings": []}


def _cut_texts(record: dict[str, Any]) -> None:
    """Cut every reason and waiver to an equal share of half the limit."""
    texts = len(record["outcomes"]) + len(record["optouts"])
    share = MAX_RECORD // 2 // _JSON_MOST // texts
    record["optouts"] = [each[:share] for each in record["optouts"]]
    for each in record["outcomes"]:
        each["reason"] = each["reason"][:share]


def _deployment(deployment: DeploymentInfo) -> dict[str, str]:
    return {
        "id": deployment.id,
        "application": deployment.application,
        "group": deployment.group,
        "configuration": deployment.configuration,
        "cluster": deployment.cluster,
        "service": deployment.service,
    }
