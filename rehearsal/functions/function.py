"""A Lambda function as a stage is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

LogObserver = Callable[[str, str | None, str], None]
"""Told of each line that a function writes: its name, the request's id, the line."""


def unheard(function: str, request_id: str | None, line: str) -> None:
    """Let a line go by: the log observer where nobody listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInvokeConfig:
    """What Lambda does with an asynchronous event that a function fails at.

    Source: AWS Lambda developer guide, "Configuring error handling settings for
    Lambda asynchronous invocations"; the defaults are Lambda's own.

    Attributes:
        retries: How often the function is run again, 0 to 2.
        event_age: Seconds after which an event is run no more, 60 to 21600.
        on_failure: The ARN of a function, a queue or a topic that is told.
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
        asynchronous: What becomes of events that the function fails at.
    """

    name: str
    handler: str
    path: tuple[Path, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 900.0
    memory: int = 512
    asynchronous: EventInvokeConfig = field(default_factory=EventInvokeConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where functions run: what every environment of a stage shares.

    Attributes:
        init_timeout: Seconds that importing the handler may take.
        minute: How many seconds a minute of Lambda's own waits lasts: between an
            asynchronous event's attempts, and until it is too old. Functions' own
            time-outs are real seconds.
    """

    endpoint_url: str
    region: str
    account: str
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
