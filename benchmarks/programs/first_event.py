"""Import a handler and answer one event: ``first_event.py MODULE``.

Lambda freezes a process and never ends its interpreter, so that is not measured.
"""

from __future__ import annotations

import importlib
import os
import sys

EVENT = {"DeploymentId": "d-75I7MBT7C", "LifecycleEventHookExecutionId": "hook-1"}


class Context:
    """As much of Lambda's context as a hook reads."""

    function_name = "CodeDeployHook_bench"

    def get_remaining_time_in_millis(self) -> int:
        """A minute."""
        return 60_000


if __name__ == "__main__":
    answer = importlib.import_module(sys.argv[1]).handler(EVENT, Context())
    sys.stdout.flush()
    os._exit(answer["status"] != "Succeeded")
