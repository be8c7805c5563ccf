"""The verdict record ``hookgate.verdict/1``: one shape for log, evidence and answer."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from hookgate.context import Deployment
from hookgate.model import Outcome, Verdict

SCHEMA = "hookgate.verdict/1"


def verdict_record(verdict: Verdict, deployment: Deployment | None) -> dict[str, Any]:
    """The record of a verdict; ``deployment`` is None where there is none."""
    return {
        "schema": SCHEMA,
        "status": str(verdict.status),
        "event": str(verdict.event),
        "deployment": None if deployment is None else _deployment(deployment),
        "started_at": verdict.started_at.astimezone(UTC).isoformat(),
        "duration_ms": verdict.duration_ms,
        "optouts": list(verdict.optouts),
        "outcomes": [outcome_record(each) for each in verdict.outcomes],
    }


def outcome_record(outcome: Outcome) -> dict[str, Any]:
    """The record of one step."""
    return {
        "name": outcome.name,
        "use": outcome.use,
        "status": str(outcome.status),
        "blocking": outcome.blocking,
        "reason": outcome.reason,
        "duration_ms": outcome.duration_ms,
        "findings": [
            {"ok": each.ok, "summary": each.summary, "evidence": dict(each.evidence)}
            for each in outcome.findings
        ],
    }


def _deployment(deployment: Deployment) -> dict[str, str]:
    return {
        "id": deployment.id,
        "application": deployment.application,
        "group": deployment.group,
        "configuration": deployment.configuration,
        "cluster": deployment.cluster,
        "service": deployment.service,
    }
