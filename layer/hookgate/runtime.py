"""The Lambda handler of each lifecycle event."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hookgate.model import LifecycleEvent

if TYPE_CHECKING:
    from hookgate.invocation import Services

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def hook(event: LifecycleEvent) -> Handler:
    """Make the Lambda handler of one lifecycle event.

    The payload does not name the lifecycle event, so each event has its own function.
    Nothing is read or connected before the first invocation.
    """
    services: Services | None = None

    def handler(payload: dict[str, Any], context: Any) -> dict[str, Any]:
        nonlocal services
        services = services or _connect()
        # Imported here, which keeps `import hookgate` light for validators and tests.
        from hookgate.invocation import run_hook  # noqa: PLC0415

        try:
            return run_hook(event, payload, context, services)
        finally:
            if services.watchdog.damaged:
                services.watchdog.exit()

    return handler


def _connect() -> Services:
    """Make the services that all invocations of this process share.

    They are never garbage. Without garbage collection a cold start takes a tenth less.
    """
    gc.disable()
    try:
        from hookgate.environment import Environment  # noqa: PLC0415 - as above
        from hookgate.invocation import connect  # noqa: PLC0415 - as above

        return connect(Environment.read())
    finally:
        gc.freeze()
        gc.enable()
