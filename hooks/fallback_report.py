"""The fallback report: Failed, for a hook that ended without a report.

The OnFailure destination of the five hooks, so that a deployment does not wait until
CodeDeploy's hour is over. What broke a hook can be a layer, so this function uses only
boto3, which is part of Lambda's runtime.
"""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from typing import Any

EVENTS = (
    "BeforeInstall",
    "AfterInstall",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
)
#: Calls of the status of an ended event, which can lag, and seconds between them.
CALLS, PAUSE = 4, 1.5


def handler(record: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Report Failed for the hook in Lambda's OnFailure record.

    The report is first. Its response says whether CodeDeploy accepted another report
    before. Then the log and the metrics must not contain Failed, since an alarm on
    VerdictFailed would roll back a good deployment.

    Args:
        record: Lambda's record of the event that the hook failed at.

    Returns:
        The verdict record, and whether CodeDeploy accepted the report.

    Raises:
        KeyError: the record contains no hook event.
        ClientError, BotoCoreError: CodeDeploy did not confirm the report. Nothing is
            published; Lambda retries, and an alarm reports it.
    """
    client = _client()
    ids = record["requestPayload"]
    id_, execution_id = ids["DeploymentId"], ids["LifecycleEventHookExecutionId"]
    accepted = _report(client, id_, execution_id)
    event = _event(str(record.get("requestContext", {}).get("functionArn", "")))
    common = {
        "deployment_id": id_,
        "execution_id": execution_id,
        "lifecycle_event": event,
        "step": "-",
    }
    deployment: dict[str, str] | None = None
    ended: str | None = "Failed" if accepted else None
    try:
        deployment = _deployment(client, id_)
        ended = ended or _ended(client, deployment, event)
    except Exception as error:  # noqa: BLE001 - the report is made
        _log(f"{type(error).__name__}: {error}", **common)
    verdict = _verdict(event, deployment, _reason(record))
    reason = f"report: {_reason(record)}"
    if ended == "Failed":
        _log(f"verdict Failed: {reason}", **common, verdict=verdict)
        _emf(event, deployment, id_)
    else:
        _log(
            f"{event} had already ended ({ended or 'status not known'}), so Failed is "
            f"not published: {reason}",
            **common,
        )
    return {**verdict, "accepted": accepted}


def _client() -> Any:
    import boto3  # noqa: PLC0415 - slow, so within the timeout and not the init phase
    from botocore.config import Config  # noqa: PLC0415 - as above

    retries = {"mode": "standard", "total_max_attempts": 4}
    config = Config(connect_timeout=2, read_timeout=5, retries=retries)
    return boto3.client("codedeploy", config=config)


def _report(client: Any, deployment_id: str, execution_id: str) -> bool:
    """Report Failed; False if the event had ended before."""
    try:
        client.put_lifecycle_event_hook_execution_status(
            deploymentId=deployment_id,
            lifecycleEventHookExecutionId=execution_id,
            status="Failed",
        )
    except client.exceptions.LifecycleEventAlreadyCompletedException:
        return False
    return True


def _deployment(client: Any, deployment_id: str) -> dict[str, str]:
    """The deployment of the verdict record."""
    info = client.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
    return {
        "id": deployment_id,
        "application": info["applicationName"],
        "group": info["deploymentGroupName"],
        "configuration": info.get("deploymentConfigName", ""),
        "cluster": "",
        "service": "",
    }


def _ended(client: Any, deployment: dict[str, str], event: str) -> str | None:
    """The status with which the event ended, or None if it is not known."""
    services = client.get_deployment_group(
        applicationName=deployment["application"],
        deploymentGroupName=deployment["group"],
    )["deploymentGroupInfo"]["ecsServices"]
    target = f"{services[0]['clusterName']}:{services[0]['serviceName']}"
    for call in range(CALLS):
        if call:
            time.sleep(PAUSE)
        response = client.get_deployment_target(
            deploymentId=deployment["id"], targetId=target
        )
        for each in response["deploymentTarget"]["ecsTarget"]["lifecycleEvents"]:
            status = str(each.get("status"))
            named = each["lifecycleEventName"] == event
            if named and status in {"Succeeded", "Failed", "Skipped"}:
                return status
    return None


def _reason(record: dict[str, Any]) -> str:
    context = record.get("requestContext", {})
    response = record.get("responsePayload") or {}
    error = (
        response.get("errorMessage", "none") if isinstance(response, dict) else response
    )
    return (
        f"{context.get('functionArn') or 'the hook function'} did not report "
        f"({context.get('condition', 'unknown')}; error: {error})"
    )


def _event(function_arn: str) -> str:
    """The lifecycle event in a hook function's name."""
    return next((each for each in EVENTS if f"_{each}" in function_arn), "unknown")


def _verdict(
    event: str, deployment: dict[str, str] | None, reason: str
) -> dict[str, Any]:
    """The layer's ``verdict_record`` of a hook that stopped before its steps."""
    outcome = {
        "name": "report",
        "use": "hookgate",
        "status": "errored",
        "blocking": True,
        "reason": reason,
        "code": "HG-HOOK-SILENT",
        "duration_ms": 0,
        "findings": [],
    }
    return {
        "schema": "hookgate.verdict/1",
        "status": "Failed",
        "event": event,
        "deployment": deployment,
        "plan": None,
        "started_at": datetime.now(UTC).isoformat(),
        "duration_ms": 0,
        "optouts": [],
        "outcomes": [outcome],
    }


def _emf(event: str, deployment: dict[str, str] | None, deployment_id: str) -> None:
    """Write the verdict's metrics in Embedded Metric Format, as the hooks do."""
    named = deployment or {"application": "unknown", "group": "unknown"}
    group = {
        "Application": _ascii(named["application"]),
        "DeploymentGroup": _ascii(named["group"]),
    }
    metrics = {
        "VerdictSucceeded": ("Count", 0.0),
        "VerdictFailed": ("Count", 1.0),
        "ValidationDuration": ("Milliseconds", 0.0),
    }
    directive = {
        "Namespace": os.environ.get("HOOKGATE_METRICS_NAMESPACE") or "Hookgate",
        "Dimensions": [list(group), [*group, "LifecycleEvent"]],
        "Metrics": [{"Name": n, "Unit": u} for n, (u, _) in metrics.items()],
    }
    line = {
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [directive],
        },
        **group,
        "LifecycleEvent": event,
        "deployment_id": deployment_id,
        **{name: [value] for name, (_, value) in metrics.items()},
    }
    _write(line)


def _ascii(text: str) -> str:
    """CloudWatch accepts dimension values of up to 1024 ASCII characters."""
    return text.encode("ascii", "backslashreplace").decode()[:1024]


def _log(message: str, **more: Any) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    _write({"level": "ERROR", "message": message[:8000], "timestamp": now, **more})


def _write(line: dict[str, Any]) -> None:
    print(json.dumps(line, separators=(",", ":")), flush=True)  # noqa: T201 - the log
