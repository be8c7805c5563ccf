"""One pass, downhill: from the event to the report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hookgate.model import LifecycleEvent

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def hook(event: LifecycleEvent) -> Handler:
    """Make the Lambda handler of one lifecycle event."""
    raise NotImplementedError(event)
