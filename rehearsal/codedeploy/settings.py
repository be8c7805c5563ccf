"""Every choice about CodeDeploy that no document settles, in one place.

Each field is a setting, which a scenario sets under ``assumptions: codedeploy:``. If a
live account behaves differently, change it there or here, and nowhere else.
What *is* known comes from AWS's user guide (its troubleshooting page gives the error
messages) and from published captures of real ECS deployments: all eight events are
listed Pending from the start; an event without a hook Succeeds at once; the event a
deployment fails or is stopped at is Failed and the later ones are Skipped;
``deploymentOverview`` is absent until the end; a rollback uses
``CodeDeployDefault.ECSAllAtOnce`` and drains the replacement task set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hookgate_rehearsal.codedeploy.model.deployment import (
    DeploymentStatus,
    ErrorCode,
    EventName,
    EventStatus,
)

_AS_TEXT = Field(strict=False)  # in a scenario

Code = Annotated[ErrorCode, _AS_TEXT]


def _among(*allowed: StrEnum) -> AfterValidator:
    """Refuse what no reading of the documents allows."""

    def check(value: StrEnum) -> StrEnum:
        if value not in allowed:
            raise ValueError(f"expected {' or '.join(allowed)}, got {value}")
        return value

    return AfterValidator(check)


class Assumptions(BaseModel):
    """The assumed behavior of CodeDeploy where no document describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    # Doubt: Skipped is as plausible. Captures with a test listener show Succeeded.
    without_test_listener: Annotated[
        EventStatus, _AS_TEXT, _among(EventStatus.SUCCEEDED, EventStatus.SKIPPED)
    ] = EventStatus.SUCCEEDED

    # Doubt: the user guide does not say whether a rollback runs the AppSpec's hooks.
    rollback_runs_hooks: bool = False

    # Doubt: the user guide says of BeforeInstall "a rollback is not possible at this
    # point"; a captured stop during Install did roll back. For Lambda, a deployment
    # whose alarm was in ALARM at its start was stopped within a second and rolled back.
    rollback_from_before_install: bool = False

    # Doubt: UpdateServicePrimaryTaskSet could come after AfterAllowTraffic. ECS's model
    # says PRIMARY is the task set that serves production traffic, hence at the shift.
    primary_after: Annotated[
        EventName,
        _AS_TEXT,
        _among(EventName.ALLOW_TRAFFIC, EventName.AFTER_ALLOW_TRAFFIC),
    ] = EventName.ALLOW_TRAFFIC

    # Doubt: believed to lie between AfterAllowTestTraffic and BeforeAllowTraffic.
    ready_wait_before: Annotated[
        EventName,
        _AS_TEXT,
        _among(
            EventName.AFTER_ALLOW_TEST_TRAFFIC,
            EventName.BEFORE_ALLOW_TRAFFIC,
            EventName.ALLOW_TRAFFIC,
        ),
    ] = EventName.BEFORE_ALLOW_TRAFFIC

    # Doubt: no capture shows the code beside the documented time-out messages.
    hook_timeout_code: Code = ErrorCode.HOOK_EXECUTION_FAILURE
    hook_not_invokable_code: Code = ErrorCode.HOOK_EXECUTION_FAILURE
    install_timeout_code: Code = ErrorCode.TIMEOUT

    # Doubt: only ALARM is named anywhere; INSUFFICIENT_DATA is taken to stop nothing.
    insufficient_data_stops: bool = False

    # Doubt: an alarm that does not exist has no status that could be retrieved, which
    # ignorePollAlarmFailure is about; no document says so.
    missing_alarm_is_poll_failure: bool = True

    # Doubt: the model says that the deployment then stops, not with which code. It
    # counts as a stop on alarm, and is rolled back where the group says so for that.
    alarm_poll_failure_code: Code = ErrorCode.ALARM_ACTIVE

    # Doubt: the real service waits its 60 minutes however often tasks die. A rehearsal
    # that did the same would teach nothing in that hour; None restores it.
    install_fails_after_stopped_tasks: int | None = Field(3, ge=1)
    install_stopped_tasks_code: Code = ErrorCode.ECS_UPDATE_ERROR

    # Doubt: the user guide says that health checks run in Install only for canary and
    # linear, so only these attach the replacement's target group there with weight 0.
    attach_replacement_in_install: bool = False

    # Doubt: no document says what becomes of the task set that a deployment without
    # rollback, or KEEP_ALIVE, left on the target group that the next one needs. Two
    # versions behind one target group would answer by turns, in production too.
    install_clears_target_group: bool = True

    # Doubt: StopDeployment answers Pending or Succeeded; Pending is what the model says
    # while an event still runs.
    stop_answers_pending: bool = True

    # Doubt: no document says when DeploymentStart is sent; published messages of
    # triggers have the status CREATED. Nor does one say when DeploymentRollback is
    # sent: here when the rollback's own deployment is created, beside that deployment's
    # own messages. The subject of a trigger's message is as users quote it.
    start_is_sent_at: Annotated[
        DeploymentStatus,
        _AS_TEXT,
        _among(
            DeploymentStatus.CREATED,
            DeploymentStatus.QUEUED,
            DeploymentStatus.IN_PROGRESS,
        ),
    ] = DeploymentStatus.CREATED

    # Doubt: known to stay false for ECS (aws/containers-roadmap issue 269).
    termination_wait_is_shown: bool = False


HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """The engine's times, in seconds; the defaults are CodeDeploy's own limits.

    Attributes:
        hook_timeout: The maximum time until a hook's function reports.
        install_timeout: The maximum time until the replacement task set is steady.
        minute: Seconds of a minute in waits that the API gives in minutes: 1.0 makes
            them sixty times faster and does not change hooks and health checks.
        poll_interval: The time between observations of the replacement task set.
        deployments_kept: The maximum number of deployments; the oldest that are over
            are deleted first.
        alarm_poll_interval: The time between polls of the group's alarms. CodeDeploy's
            own interval is not documented; a captured deployment stopped within 16 s.
        assumptions: What is unverified about CodeDeploy.
    """

    hook_timeout: float = HOUR
    install_timeout: float = HOUR
    minute: float = 60.0
    poll_interval: float = 0.2
    deployments_kept: int = 1000
    alarm_poll_interval: float = 5.0
    assumptions: Assumptions = field(default_factory=Assumptions)
