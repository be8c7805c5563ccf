"""Events that do not come to their function as they should."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence

from rehearsal.faults.schema import HookFile
from rehearsal.functions.asynchronous import Delivery
from rehearsal.functions.function import Function

#: More attempts than Lambda makes.
_ALL = 10
_ID = "LifecycleEventHookExecutionId"


class FaultyCourier:
    """Brings events late, twice, wrong or never, as ordered.

    Args:
        fault: tells what is ordered for a deployment's id and a function's name.
    """

    def __init__(self, fault: Callable[[str, str], HookFile | None]) -> None:
        self._fault = fault

    def deliveries(self, function: Function, payload: bytes) -> Sequence[Delivery]:
        """What becomes of an event of CodeDeploy's; any other comes as it is."""
        event = json.loads(payload)
        deployment = event.get("DeploymentId", "") if isinstance(event, Mapping) else ""
        fault = self._fault(deployment, function.name)
        whole = Delivery(payload=payload)
        if fault is None:
            return (whole,)
        match fault.does:
            case "never_reports":
                return ()
            case "reports_late":
                return (Delivery(payload=payload, delay=fault.by or 0.0),)
            case "reports_twice":
                return (whole, whole)
            case "reports_foreign_id":
                foreign = {**event, _ID: f"{_ID}-{uuid.uuid4()}"}
                return (Delivery(payload=json.dumps(foreign).encode()),)
            case "dies":
                return (Delivery(payload=payload, deaths=fault.times or _ALL),)
        return (whole,)  # what is not permitted comes, and is refused later
