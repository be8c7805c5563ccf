"""What CodeDeploy asks of CloudWatch."""

from __future__ import annotations

from typing import Any

from rehearsal.codedeploy.model.signals import AlarmsPolled

_TYPES = {"MetricAlarm": "MetricAlarms", "CompositeAlarm": "CompositeAlarms"}


class AlarmStates:
    """Reads how alarms stand.

    Args:
        cloudwatch: A boto3 client.
    """

    def __init__(self, cloudwatch: Any) -> None:
        self._cloudwatch = cloudwatch

    def poll(self, names: tuple[str, ...]) -> AlarmsPolled:
        """The states of those that there are; names may be of either type."""
        answer = self._cloudwatch.describe_alarms(
            AlarmNames=list(names), AlarmTypes=list(_TYPES)
        )
        return AlarmsPolled(
            states={
                alarm["AlarmName"]: alarm["StateValue"]
                for member in _TYPES.values()
                for alarm in answer.get(member, [])
            }
        )
