"""Pieces of a rehearsal record, each with what a test does not care about."""

from __future__ import annotations

from typing import Any

EVENTS = (
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "AllowTestTraffic",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AllowTraffic",
    "AfterAllowTraffic",
)


def an_outcome(**changes: Any) -> dict[str, Any]:
    """A step that passed with one finding."""
    finding = {"ok": True, "summary": "GET / answered 200", "evidence": {"status": 200}}
    return {
        "name": "home page",
        "use": "http",
        "status": "passed",
        "blocking": True,
        "reason": "GET / answered 200",
        "code": "",
        "duration_ms": 12,
        "findings": [finding],
    } | changes


def a_verdict(*outcomes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A verdict, by default Succeeded."""
    return {
        "schema": "hookgate.verdict/1",
        "status": "Succeeded",
        "event": "AfterAllowTestTraffic",
        "deployment": None,
        "plan": {"source": "ssm:/plans/shop/web", "version": "3", "sha256": "ab" * 32},
        "started_at": "2026-01-02T03:04:05+00:00",
        "duration_ms": 20,
        "optouts": [],
        "outcomes": list(outcomes) or [an_outcome()],
    } | changes


def an_event(name: str, second: int = 0, **changes: Any) -> dict[str, Any]:
    """A lifecycle event that Succeeded and took a second."""
    return {
        "name": name,
        "status": "Succeeded",
        "started_at": f"2026-01-02T03:04:{second:02}+00:00",
        "ended_at": f"2026-01-02T03:04:{second + 1:02}+00:00",
        "duration_ms": 1000,
        "verdict": None,
    } | changes


def a_deployment(**changes: Any) -> dict[str, Any]:
    """A deployment that went well, an event a second."""
    return {
        "deployment_id": "d-1",
        "name": "a good version",
        "image": "shop:1.2.0",
        "task_definition": "shop:2",
        "faults": {},
        "status": "Succeeded",
        "interrupted": False,
        "expected": "Succeeded",
        "expect": {"status": "Succeeded"},
        "error": None,
        "alarms": [],
        "rollback": None,
        "lifecycle_events": [
            an_event(name, second) for second, name in enumerate(EVENTS)
        ],
        "production_traffic": {
            "requests": 100,
            "failed": 0,
            "dropped": 0,
            "failures": [],
            "served_by": {"shop:1": 75, "shop:2": 25},
        },
        "as_expected": True,
        "surprises": [],
    } | changes


def a_record(*deployments: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A rehearsal of those deployments, or of one good one."""
    return {
        "schema": "hookgate.rehearsal/1",
        "interrupted": False,
        "deployments": list(deployments) or [a_deployment()],
        "not_run": [],
    } | changes
