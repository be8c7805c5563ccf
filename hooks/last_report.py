"""Not an event: where Lambda turns when a hook has failed without a report.

The OnFailure destination of the five hooks. It reports Failed in their place, so
that a deployment does not hang until CodeDeploy's hour is over. What broke the hooks
may be the layer that this function has, too: then boto3, which is Lambda's own, is all
that a report needs.
"""

import json
from typing import Any


def _without_the_layer(record: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Report Failed with nothing of Hookgate's."""
    import boto3  # noqa: PLC0415 - the layer brings its own way

    ids = record["requestPayload"]
    told = {
        "level": "ERROR",
        "message": f"the layer cannot be loaded, so no hook can report: {_broken}",
        "deployment_id": ids["DeploymentId"],
        "execution_id": ids["LifecycleEventHookExecutionId"],
    }
    print(json.dumps(told))  # noqa: T201 - a line of the log
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=told["deployment_id"],
        lifecycleEventHookExecutionId=told["execution_id"],
        status="Failed",
    )
    return {"status": "Failed", "reason": told["message"]}


try:
    from hookgate.last_report import handler
except Exception as error:  # noqa: BLE001 - a broken layer may raise anything
    _broken = f"{type(error).__name__}: {error}"
    handler = _without_the_layer

__all__ = ["handler"]
