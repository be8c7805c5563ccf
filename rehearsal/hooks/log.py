"""What the hooks write on their standard output: outcomes, verdicts and metrics."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

Outcome = Mapping[str, Any]
OutcomeObserver = Callable[[str, str, Outcome], None]


class HookLog:
    """Keeps the verdicts that functions log, by deployment and lifecycle event.

    Args:
        on_outcome: told of each step that ends: deployment id, event, outcome record.
    """

    def __init__(self, on_outcome: OutcomeObserver) -> None:
        self._on_outcome = on_outcome
        self._logged = threading.Condition()
        self._verdicts: dict[tuple[str, str], Mapping[str, Any]] = {}

    def __call__(self, function: str, request_id: str | None, line: str) -> None:
        """Take a line of a function."""
        del function, request_id
        try:
            said = json.loads(line)
        except ValueError:
            return  # a traceback or a stray print: the stage's own log has it
        if not isinstance(said, dict) or "deployment_id" not in said:
            return
        key = (said["deployment_id"], said.get("lifecycle_event", ""))
        if "outcome" in said:
            self._on_outcome(*key, said["outcome"])
        if "verdict" in said:
            with self._logged:
                self._verdicts[key] = said["verdict"]
                self._logged.notify_all()

    def verdict(
        self,
        deployment_id: str,
        event: str,
        seconds: float = 0.0,
        status: str | None = None,
    ) -> Mapping[str, Any] | None:
        """The newest verdict of a hook, or None where none is logged.

        Args:
            deployment_id: the deployment.
            event: the lifecycle event.
            seconds: how long to wait for a line that may still be on its way, since a
                function's report overtakes its log.
            status: wait for a verdict of this status, such as the fallback report's
                Failed after the hook's own Succeeded, which was never accepted.
        """
        key = (deployment_id, event)

        def arrived() -> bool:
            verdict = self._verdicts.get(key, {})
            return verdict.get("status") == (status or verdict.get("status", ""))

        with self._logged:
            self._logged.wait_for(arrived, seconds)
            return self._verdicts.get(key)
