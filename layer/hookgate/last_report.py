"""The report of last resort: Failed, in the place of a hook that did not report."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from hookgate.aws.clients import Clients
from hookgate.aws.status import CodeDeployStatus
from hookgate.codes import Code
from hookgate.context import Deployment
from hookgate.environment import Environment
from hookgate.event import HookEvent
from hookgate.model import HookStatus, LifecycleEvent, Reason, Verdict
from hookgate.record import verdict_record
from hookgate.reporting.log import PassLog
from hookgate.reporting.metrics import EmfMetrics

#: What of a deployment a last report does not ask for.
_UNASKED = ("configuration", "cluster", "service", "region", "account")


def report_failed(
    ids: Mapping[str, Any],
    event: str | None,
    reason: str,
    deployment: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Report Failed to CodeDeploy, and say why as well as can be.

    The report needs the ids and nothing else: whatever goes wrong on the way to it is
    told and left behind.

    Args:
        ids: the hook event's payload.
        event: the lifecycle event's name, or None if it is not known.
        reason: why the hook did not report itself.
        deployment: the fields of ``Deployment``, if it was known.

    Returns:
        The verdict record, or as much of it as could be told.

    Raises:
        InputError: ``ids`` is not a hook event.
        ReportError: CodeDeploy was not told.
    """
    hook = HookEvent.parse(ids)
    record: dict[str, Any] = {"status": str(HookStatus.FAILED), "reason": reason}
    try:
        record = _published(hook, event, reason, deployment)
    except Exception as error:  # noqa: BLE001 - telling must not keep the report
        _problem(ids, event, error)
    CodeDeployStatus(Clients().client("codedeploy")).report(hook, HookStatus.FAILED)
    return record


def _published(
    hook: HookEvent,
    event: str | None,
    reason: str,
    deployment: Mapping[str, Any] | None,
) -> dict[str, Any]:
    if event is None:
        raise LookupError(f"not named after a lifecycle event; {reason}")
    why = {"report": Reason(Code.HOOK_SILENT, reason)}
    verdict = Verdict.aborted(LifecycleEvent(event), why)
    known = Deployment(**deployment) if deployment else None
    log = PassLog.to()
    log.begin(hook, verdict.event)
    log.publish(verdict, known)
    EmfMetrics(Environment.read().metrics_namespace).publish(verdict, known)
    return verdict_record(verdict, known)


def handler(record: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take Lambda's OnFailure record of a hook and report Failed in its place.

    Raises:
        InputError: the record carries no hook event.
        ReportError: CodeDeploy was not told; Lambda tries again, and an alarm tells.
    """
    context = record.get("requestContext", {})
    function = str(context.get("functionArn", ""))
    answer = record.get("responsePayload") or {}
    said = answer.get("errorMessage", "nothing") if isinstance(answer, dict) else answer
    reason = (
        f"{function or 'the hook function'} did not report "
        f"({context.get('condition', 'unknown')}; it said: {said})"
    )
    ids = record.get("requestPayload") or {}
    event = _event(function)
    return report_failed(ids, event, reason, _deployment(ids, event))


def _deployment(ids: Mapping[str, Any], event: str | None) -> dict[str, Any] | None:
    """As much of the deployment as the metrics need; the report does without it."""
    try:
        hook = HookEvent.parse(ids)
        codedeploy = Clients().client("codedeploy")
        info = codedeploy.get_deployment(deploymentId=hook.deployment_id)
        named = info["deploymentInfo"]
        return {
            **dict.fromkeys(_UNASKED, ""),
            "id": hook.deployment_id,
            "application": named["applicationName"],
            "group": named["deploymentGroupName"],
        }
    except Exception as error:  # noqa: BLE001 - as above
        _problem(ids, event, error)
        return None


def _problem(ids: Mapping[str, Any], event: str | None, error: Exception) -> None:
    """Tell of what went wrong on the way, in a line of the log like all others."""
    try:
        log = PassLog.to()
        log.begin(HookEvent.parse(ids), event)
        log.problem(f"{type(error).__name__}: {error}")
    except Exception:  # noqa: BLE001 - what is wrong may be the log itself
        traceback.print_exc()


def _event(function_arn: str) -> str | None:
    """The lifecycle event in a hook function's name, if it is named after one."""
    named = (str(event) for event in LifecycleEvent if f"_{event}" in function_arn)
    return next(named, None)
