"""Lambda handlers: hooks that decide without looking, and handlers that misbehave."""

import os
import subprocess
import sys
import time

import boto3


def _report(event, status):
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=status,
    )


def always_yes(event, context):
    """Report Succeeded."""
    _report(event, "Succeeded")


def always_no(event, context):
    """Report Failed."""
    _report(event, "Failed")


def silent(event, context):
    """Report nothing."""


def echo(event, context):
    """Answer what the function can see of itself."""
    sys.stdout.write("a line of the function's own\n")
    return {
        "event": event,
        "environment": dict(os.environ),
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "remaining": context.get_remaining_time_in_millis(),
    }


def failing(event, context):
    """Raise."""
    raise ValueError("this handler is wrong")


def sleeping(event, context):
    """Take longer than any test waits."""
    time.sleep(3600)


def dying(event, context):
    """End the whole process."""
    sys.stdout.flush()
    os._exit(3)


def hungry(event, context):
    """Take 200 MB and keep them."""
    kept = b"x" * (200 * 1024 * 1024)
    time.sleep(3600)
    return len(kept)


def leaving(event, context):
    """End in good order without an answer."""
    sys.stdout.flush()
    os._exit(0)


def deserting(event, context):
    """Leave a process behind that holds the output open, then end."""
    command = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(20)"]
    subprocess.Popen(command, start_new_session=True)  # noqa: S603 - our own
    os._exit(1)
