"""The Lambda handler of each lifecycle event."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hookgate.deadline import Deadline
from hookgate.event import HookEvent
from hookgate.model import LifecycleEvent

if TYPE_CHECKING:
    from hookgate.services import Services

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def hook(event: LifecycleEvent) -> Handler:
    """Make the Lambda handler of one lifecycle event.

    The payload does not name the lifecycle event, so each event has its own function.
    Nothing is read or connected before the first invocation.
    """
    connected: list[Services] = []

    def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
        if not connected:
            connected.append(_connect())
        try:
            return run_hook(event, payload, context, connected[0])
        finally:
            if connected[0].watchdog.damaged:
                connected[0].watchdog.exit()

    return handler


def _connect() -> Services:
    """Make the services that all invocations of this process share.

    They are never garbage. Without garbage collection a cold start takes a tenth less.
    """
    gc.disable()
    try:
        # Imported here, which keeps `import hookgate` light for validators and tests.
        import hookgate.invocation  # noqa: F401, PLC0415
        from hookgate.environment import Environment  # noqa: PLC0415
        from hookgate.services import connect  # noqa: PLC0415

        return connect(Environment.read())
    finally:
        gc.freeze()
        gc.enable()


def run_hook(
    event: LifecycleEvent, payload: object, context: Any, services: Services
) -> dict[str, Any]:
    """Run one invocation and report its verdict.

    Args:
        event: the lifecycle event of the function that was invoked.
        payload: the payload that CodeDeploy sent.
        context: Lambda's context; its remaining time limits the invocation.
        services: AWS, the plans, the reporters and the clock.

    Returns:
        The verdict record.

    Raises:
        InputError: the payload has no ids, so no report is possible.
        ReportError: CodeDeploy did not confirm the report; Lambda retries.
    """
    from hookgate.aws.codedeploy import RESERVE  # noqa: PLC0415 - as above
    from hookgate.invocation import Invocation  # noqa: PLC0415 - as above

    received = HookEvent.parse(payload)
    services.log.begin(received, event)
    seconds = context.get_remaining_time_in_millis() / 1000 - RESERVE
    deadline = Deadline.after(seconds, services.clock)
    invocation = Invocation(
        event=event, hook=received, services=services, deadline=deadline
    )
    return services.once(received.execution_id, context, invocation.run, deadline)
