"""The fallback report of the watchdog process: Failed, for a hook that cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hookgate.aws.calls import AwsCalls
from hookgate.aws.codedeploy import CodeDeployStatus, ended_as
from hookgate.codes import Code
from hookgate.context import DeploymentInfo, HookEvent
from hookgate.deadline import SystemClock
from hookgate.environment import Environment
from hookgate.model import HookStatus, LifecycleEvent, Reason, Verdict
from hookgate.reporting import EmfMetrics, InvocationLog

#: Fields that the watchdog process has as text and does not need.
_UNUSED = {"event_started_at": None}


def report_failed(
    ids: Mapping[str, Any],
    event: str,
    reason: str,
    deployment: Mapping[str, Any] | None = None,
) -> None:
    """Report Failed to CodeDeploy, and publish the verdict if that was accepted.

    The report is first: it needs only the ids, and its response shows whether
    CodeDeploy accepted another report before, which no metric may contradict.

    Args:
        ids: the hook event's payload.
        event: the lifecycle event's name.
        reason: why the hook did not report itself.
        deployment: the fields of ``DeploymentInfo``, if it was found.

    Raises:
        InputError: ``ids`` is not a hook event.
        ReportError: CodeDeploy did not confirm the report. Nothing is published.
    """
    hook, lifecycle_event = HookEvent.parse(ids), LifecycleEvent(event)
    known = DeploymentInfo(**{**deployment, **_UNUSED}) if deployment else None
    aws = AwsCalls()
    status = CodeDeployStatus(aws.client("codedeploy"))
    ended: str | None = None
    if status.report(hook, HookStatus.FAILED):
        ended = HookStatus.FAILED
    elif known:
        ended = ended_as(aws, known, lifecycle_event, SystemClock())
    log = InvocationLog.to()
    log.begin(hook, event)
    if ended == HookStatus.FAILED:
        why = {"report": Reason(Code.HOOK_SILENT, reason)}
        verdict = Verdict.aborted(lifecycle_event, why)
        log.publish(verdict, known)
        EmfMetrics(Environment.read().metrics_namespace).publish(verdict, known)
    else:
        log.problem(
            f"{event} had already ended ({ended or 'status not known'}), so Failed is "
            f"not published: {reason}"
        )
