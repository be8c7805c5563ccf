"""The environment variables of a function, as Lambda sets them."""

from __future__ import annotations

import sys
import uuid
from datetime import UTC, datetime

from rehearsal.functions.function import Function, Surroundings

VERSION = "$LATEST"


def access_key(function: str) -> str:
    """The access key id that a function signs its calls with."""
    return f"function.{function}"


def variables(
    function: Function, surroundings: Surroundings, api: str
) -> dict[str, str]:
    """The environment variables that Lambda sets, and nothing of the stage's own.

    Source: AWS Lambda developer guide, "Defined runtime environment variables".
    """
    today = datetime.now(tz=UTC).strftime("%Y/%m/%d")
    root = str(function.path[0])
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": ":".join(str(each) for each in function.path),
        "PYTHONUNBUFFERED": "1",
        "LAMBDA_TASK_ROOT": root,
        # Each function has a role of its own; the endpoint tells them apart by this.
        "AWS_ACCESS_KEY_ID": access_key(function.name),
        "AWS_SECRET_ACCESS_KEY": "rehearsal",  # a dummy: nobody checks it
        "AWS_REGION": surroundings.region,
        "AWS_DEFAULT_REGION": surroundings.region,
        "AWS_ENDPOINT_URL": surroundings.endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        **function.environment,
        "_HANDLER": function.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python3.{sys.version_info.minor}",
        "AWS_LAMBDA_RUNTIME_API": api,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": VERSION,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{today}/[{VERSION}]{uuid.uuid4().hex}",
    }
