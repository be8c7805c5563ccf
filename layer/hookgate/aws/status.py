"""The report to CodeDeploy: PutLifecycleEventHookExecutionStatus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hookgate.aws.calls import iam_action
from hookgate.errors import ReportError
from hookgate.event import HookEvent
from hookgate.model import HookStatus

#: Seconds for the check before the report whether the lifecycle event has ended.
CHECK = 2.0
#: Seconds reserved for that and for the report: botocore's standard mode pauses at most
#: 1, 2 and 4 seconds between the attempts of ``Clients``, so a report takes at most
#: 4 x 3 + 7 = 19.
RESERVE = 20.0 + CHECK

_DONE = "LifecycleEventAlreadyCompletedException"
_MEANING = {
    "InvalidLifecycleEventHookExecutionIdException": (
        "the execution id belongs to no hook of this deployment; the event was not "
        "sent by CodeDeploy, or for another deployment"
    ),
    "DeploymentDoesNotExistException": (
        "the deployment is not in this account and region"
    ),
    "InvalidDeploymentIdException": "the deployment id has the wrong format",
    "DeploymentIdRequiredException": "the event has no deployment id",
    "InvalidLifecycleEventHookExecutionStatusException": (
        "CodeDeploy accepts only Succeeded and Failed"
    ),
    "UnsupportedActionForDeploymentTypeException": (
        "this type of deployment accepts no reports from hooks"
    ),
    "AccessDeniedException": (
        "the function's role lacks codedeploy:PutLifecycleEventHookExecutionStatus on "
        "the deployment group"
    ),
}


@dataclass(frozen=True, slots=True)
class CodeDeployStatus:
    """Reports to CodeDeploy through ``client``, a codedeploy client of ``Clients``."""

    client: Any

    def report(self, event: HookEvent, status: HookStatus) -> bool:
        """Report the status of the hook.

        Returns:
            False if the event had already ended: a duplicate delivery, the end of the
            hour, or a stopped deployment.

        Raises:
            ReportError: CodeDeploy did not confirm the report.
        """
        from botocore.exceptions import (  # noqa: PLC0415 - slow, and only needed here
            ClientError,
        )

        try:
            self.client.put_lifecycle_event_hook_execution_status(
                deploymentId=event.deployment_id,
                lifecycleEventHookExecutionId=event.execution_id,
                status=str(status),
            )
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "Unknown"))
            if code == _DONE:
                return False
            raise _unreported(event, f"{code}: {_MEANING.get(code, error)}") from error
        except Exception as error:  # a response can break botocore in any way
            why = (
                f"{error}; is there a route from the function to CodeDeploy? It may "
                "have accepted the report anyway"
            )
            raise _unreported(event, why) from error
        return True


def _unreported(event: HookEvent, why: str) -> ReportError:
    action = iam_action("codedeploy", "PutLifecycleEventHookExecutionStatus")
    return ReportError(f"{action} failed for {event.deployment_id}: {why}")
