"""Put a scenario's alarms on a stage, and tell which of them stopped a deployment."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rehearsal.building.load_balancer import LoadBalancer
from rehearsal.cloudwatch.alarm import AlarmState
from rehearsal.cloudwatch.alarms import AlarmChanged
from rehearsal.scenario.file import AlarmFile
from rehearsal.scenario.scenario import Scenario
from rehearsal.stage import Stage

_LOOK = 0.1  # seconds between two looks at alarms that are waited for
#: How CodeDeploy names the alarms in the error's message.
_NAMED = re.compile(r"<([^<>]+)>")


def build_alarms(stage: Stage, scenario: Scenario, balancer: LoadBalancer) -> None:
    """Put the alarms, composite ones after those that they name."""
    cloudwatch = stage.client("cloudwatch")
    for alarm in scenario.content.alarms:
        if alarm.rule is None:
            dimensions = _dimensions(alarm, scenario, balancer)
            cloudwatch.put_metric_alarm(**alarm.watched(dimensions))
    for alarm in scenario.content.alarms:
        if alarm.rule is not None:
            cloudwatch.put_composite_alarm(AlarmName=alarm.name, AlarmRule=alarm.rule)


def _dimensions(
    alarm: AlarmFile, scenario: Scenario, balancer: LoadBalancer
) -> dict[str, str]:
    if alarm.namespace.startswith("AWS/"):
        listener = balancer.production.arn
        path = listener.partition(":listener/")[2].rpartition("/")[0]
        return {"LoadBalancer": path}
    group = scenario.content.deployment_group
    return {"Application": group.application, "DeploymentGroup": group.name}


def wait_until_well(stage: Stage, names: Sequence[str], patience: float) -> None:
    """Wait until none of the alarms is in ALARM; go on after so many seconds.

    An alarm that is still in ALARM then stops the deployment, which says so.
    """
    cloudwatch = stage.client("cloudwatch")
    give_up = time.monotonic() + patience
    while names and time.monotonic() < give_up:
        found = cloudwatch.describe_alarms(
            AlarmNames=list(names),
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            StateValue=AlarmState.ALARM.value,
        )
        if not found["MetricAlarms"] and not found["CompositeAlarms"]:
            return
        time.sleep(_LOOK)


class AlarmReasons:
    """Remembers why each alarm went off last; CodeDeploy's message only names it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reasons: dict[str, str] = {}

    def __call__(self, change: AlarmChanged) -> None:
        """Take note of a change."""
        if change.alarm.state is AlarmState.ALARM:
            with self._lock:
                self._reasons[change.alarm.name] = change.alarm.reason

    def stopping(self, error: Mapping[str, Any] | None) -> list[dict[str, str]]:
        """The alarms that an ``errorInformation`` names, with their reasons."""
        if error is None or error["code"] != "ALARM_ACTIVE":
            return []
        names = _NAMED.findall(error["message"])
        with self._lock:
            return [
                {"name": name, "reason": self._reasons.get(name, "it does not exist")}
                for name in names
            ]
