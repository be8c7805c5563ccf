"""Lambda functions: their settings, invocations and results."""

from __future__ import annotations

import json
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hookgate_rehearsal.endpoint.access import SECRET_ACCESS_KEY, AccessKey

LogObserver = Callable[[str, str | None, str], None]

"""Called with each line that a function writes: its name, the request id, the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInvokeConfig:
    """What Lambda does after a failed asynchronous invocation.

    Source: AWS Lambda developer guide, "Configuring error handling settings for
    Lambda asynchronous invocations"; the defaults are Lambda's own.

    Attributes:
        retries: The maximum number of retries, 0 to 2.
        event_age: Seconds after which an event is dropped, 60 to 21600.
        on_failure: The ARN of the destination: a function, a queue or a topic.
    """

    retries: int = 2
    event_age: float = 21_600.0
    on_failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """What Lambda needs to run a function.

    Attributes:
        name: Such as ``CodeDeployHook_AfterInstall``.
        handler: Module and function, such as ``hooks.after_install.handler``.
        path: Directories to import from; the first is the task root.
        environment: The function's own variables.
        timeout: Seconds until an invocation is killed; Lambda's most is 900.
        memory: Megabytes; a function whose processes take more is killed.
        asynchronous: The retries and the destination of failed events.
    """

    name: str
    handler: str
    path: tuple[Path, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 900.0
    memory: int = 512
    asynchronous: EventInvokeConfig = field(default_factory=EventInvokeConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSettings:
    """Settings that all functions of an emulator share.

    Attributes:
        init_timeout: Seconds that importing the handler may take.
        minute: How many seconds a minute of Lambda's own waits lasts: between an
            asynchronous event's attempts, and until it is too old. Functions' own
            time-outs are real seconds.
    """

    endpoint_url: str
    region: str
    account: str
    key: AccessKey = field(default_factory=AccessKey.random)
    init_timeout: float = 60.0
    minute: float = 60.0

    def arn(self, name: str) -> str:
        """The ARN of the function of that name."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{name}"


def function_name(name_or_arn: str) -> str:
    """The bare name in a name, a partial ARN or an ARN, without a qualifier.

    ``f``, ``f:live``, ``123456789012:function:f`` and full ARNs all mean ``f``.
    """
    parts = name_or_arn.split(":")
    if "function" in parts:
        return parts[parts.index("function") + 1]
    return parts[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationResult:
    """The result of an invocation.

    Attributes:
        payload: The function's response, or Lambda's error.
        is_error: Whether Lambda would set ``FunctionError``.
        is_fatal: Whether the environment is not reused, for example after a timeout.
    """

    payload: bytes
    is_error: bool = False
    is_fatal: bool = False


def error_result(
    kind: str, message: str, *, is_fatal: bool = False
) -> InvocationResult:
    """An error that Lambda itself reports, such as a time-out."""
    payload = json.dumps({"errorType": kind, "errorMessage": message}).encode()
    return InvocationResult(payload=payload, is_error=True, is_fatal=is_fatal)


@dataclass(slots=True, kw_only=True, eq=False)
class Invocation:
    """An event on its way through a function; its outcome is set once.

    Attributes:
        kills_environment: Whether the environment is killed when it gets the event.
    """

    payload: bytes
    kills_environment: bool = False
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    taken: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    result: InvocationResult | None = None

    def end(self, result: InvocationResult) -> None:
        """Set the outcome, unless it is already set."""
        if self.result is None:
            self.result = result
        self.taken.set()
        self.ended.set()


VERSION = "$LATEST"


def variables(function: Function, settings: FleetSettings, api: str) -> dict[str, str]:
    """The environment variables that Lambda sets, and nothing of the emulator's own.

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
        # Each function has a role of its own; the endpoint distinguishes them by this.
        "AWS_ACCESS_KEY_ID": settings.key.function(function.name),
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ENDPOINT_URL": settings.endpoint_url,
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
