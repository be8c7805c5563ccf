"""The one call that tells CodeDeploy: PutLifecycleEventHookExecutionStatus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hookgate.aws.calls import iam_action
from hookgate.errors import ReportError
from hookgate.event import HookEvent
from hookgate.model import HookStatus

#: Seconds to find out, before the report, whether the lifecycle event is still open.
CHECK = 2.0
#: Seconds reserved for that and for the report: botocore's standard mode pauses at most
#: 1, 2 and 4 seconds between the attempts of ``aws.clients``, so that a report takes at
#: most 4 x 3 + 7 = 19.
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
    "InvalidDeploymentIdException": "the deployment id has not the form of one",
    "DeploymentIdRequiredException": "the event carried no deployment id",
    "InvalidLifecycleEventHookExecutionStatusException": (
        "CodeDeploy takes Succeeded and Failed only"
    ),
    "UnsupportedActionForDeploymentTypeException": (
        "this type of deployment takes no reports from hooks"
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
        """Tell CodeDeploy the status of the hook.

        Returns:
            False when the event had already come to its end (a duplicate delivery, the
            hour is over, or the deployment was stopped): there is nothing left to do.

        Raises:
            ReportError: CodeDeploy did not confirm the report; says why and what to
                do.
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
                "have accepted the report all the same"
            )
            raise _unreported(event, why) from error
        return True


def _unreported(event: HookEvent, why: str) -> ReportError:
    action = iam_action("codedeploy", "PutLifecycleEventHookExecutionStatus")
    return ReportError(f"{action} failed for {event.deployment_id}: {why}")
