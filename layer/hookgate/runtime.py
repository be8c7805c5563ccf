"""What Lambda calls: a handler for each lifecycle event, from event to report."""

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

    Which function was invoked tells the event: the payload does not. Nothing is read
    or connected before the first invocation.
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
    """Everything a pass works with, for the life of this process.

    None of it is ever garbage, so nothing looks for garbage in it, now or later: that
    would cost a cold start a tenth of its time.
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
    """Judge one invocation and report it.

    Args:
        event: the lifecycle event of the function that was invoked.
        payload: what CodeDeploy sent.
        context: Lambda's context; its remaining time bounds the pass.
        services: what to work with.

    Returns:
        The verdict record.

    Raises:
        InputError: the payload holds no ids, so there is nobody to report to.
        ReportError: CodeDeploy could not be told; Lambda's retry is the next chance.
    """
    from hookgate.aws.status import RESERVE  # noqa: PLC0415 - as above
    from hookgate.invocation import Invocation  # noqa: PLC0415 - as above

    received = HookEvent.parse(payload)
    services.log.begin(received, event)
    seconds = context.get_remaining_time_in_millis() / 1000 - RESERVE
    deadline = Deadline.after(seconds, services.clock)
    one = Invocation(event=event, hook=received, services=services, deadline=deadline)
    return services.once(received.execution_id, context, one.run, deadline)
