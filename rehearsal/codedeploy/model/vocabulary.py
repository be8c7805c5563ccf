"""CodeDeploy's own words, as botocore's model spells them."""

from __future__ import annotations

from enum import StrEnum


class DeploymentStatus(StrEnum):
    """Where a deployment stands."""

    CREATED = "Created"
    QUEUED = "Queued"
    IN_PROGRESS = "InProgress"
    READY = "Ready"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"

    @property
    def is_over(self) -> bool:
        """Whether nothing more can happen to the deployment."""
        return self in {
            DeploymentStatus.SUCCEEDED,
            DeploymentStatus.FAILED,
            DeploymentStatus.STOPPED,
        }

    @property
    def is_started(self) -> bool:
        """Whether the deployment has a target to ask about."""
        return self not in {DeploymentStatus.CREATED, DeploymentStatus.QUEUED}


class EventName(StrEnum):
    """The eight lifecycle events of an ECS deployment, in their order."""

    BEFORE_INSTALL = "BeforeInstall"
    INSTALL = "Install"
    AFTER_INSTALL = "AfterInstall"
    ALLOW_TEST_TRAFFIC = "AllowTestTraffic"
    AFTER_ALLOW_TEST_TRAFFIC = "AfterAllowTestTraffic"
    BEFORE_ALLOW_TRAFFIC = "BeforeAllowTraffic"
    ALLOW_TRAFFIC = "AllowTraffic"
    AFTER_ALLOW_TRAFFIC = "AfterAllowTraffic"

    @property
    def is_hook(self) -> bool:
        """Whether an AppSpec may name a function for the event."""
        return self not in {
            EventName.INSTALL,
            EventName.ALLOW_TEST_TRAFFIC,
            EventName.ALLOW_TRAFFIC,
        }


class EventStatus(StrEnum):
    """Where a lifecycle event, or the target, stands."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    UNKNOWN = "Unknown"
    READY = "Ready"  # of a target only


class LifecycleErrorCode(StrEnum):
    """What an event's diagnostics say."""

    SUCCESS = "Success"
    SCRIPT_TIMED_OUT = "ScriptTimedOut"
    SCRIPT_FAILED = "ScriptFailed"
    UNKNOWN_ERROR = "UnknownError"


class ErrorCode(StrEnum):
    """Why a deployment did not succeed; the codes that ECS deployments can have."""

    ALARM_ACTIVE = "ALARM_ACTIVE"
    ECS_UPDATE_ERROR = "ECS_UPDATE_ERROR"
    ELASTIC_LOAD_BALANCING_INVALID = "ELASTIC_LOAD_BALANCING_INVALID"
    HOOK_EXECUTION_FAILURE = "HOOK_EXECUTION_FAILURE"
    IAM_ROLE_PERMISSIONS = "IAM_ROLE_PERMISSIONS"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    INVALID_ECS_SERVICE = "INVALID_ECS_SERVICE"
    INVALID_LAMBDA_FUNCTION = "INVALID_LAMBDA_FUNCTION"
    INVALID_REVISION = "INVALID_REVISION"
    MANUAL_STOP = "MANUAL_STOP"
    TIMEOUT = "TIMEOUT"


class Creator(StrEnum):
    """Who created a deployment."""

    USER = "user"
    ROLLBACK = "codeDeployRollback"


class AutoRollbackEvent(StrEnum):
    """What a deployment group may roll back on."""

    FAILURE = "DEPLOYMENT_FAILURE"
    STOP_ON_ALARM = "DEPLOYMENT_STOP_ON_ALARM"
    STOP_ON_REQUEST = "DEPLOYMENT_STOP_ON_REQUEST"


class WaitType(StrEnum):
    """Which wait ContinueDeployment ends."""

    READY = "READY_WAIT"
    TERMINATION = "TERMINATION_WAIT"


class TaskSetLabel(StrEnum):
    """Blue was there before; Green is the replacement."""

    BLUE = "Blue"
    GREEN = "Green"
