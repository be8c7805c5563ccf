"""What CloudWatch tells of alarms: to the topics that are their actions.

Source: the message that SNS subscribers of an alarm get, in the CloudWatch user guide.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from rehearsal.cloudwatch.alarms import AlarmChanged
from rehearsal.notifications.postman import Postman
from rehearsal.notifications.topics import Topics

LONGEST_SUBJECT = 100  # SNS's own limit


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmActions:
    """Carries out the actions that are topics; others are written to the log only.

    Args:
        topics: SNS.
        postman: Does it, later.
        region: The stage's region.
        account: The stage's account.
    """

    topics: Topics
    postman: Postman
    region: str
    account: str

    def __call__(self, change: AlarmChanged) -> None:
        """Take a change of an alarm's state."""
        alarm = change.alarm
        if not alarm.actions_enabled:
            return
        message = json.dumps(self._message(change))
        subject = f'{alarm.state}: "{alarm.name}" in {self.region}'[:LONGEST_SUBJECT]
        for arn in alarm.actions():
            if arn.startswith("arn:aws:sns:"):
                self.postman.send(partial(self.topics.publish, arn, subject, message))

    def _message(self, change: AlarmChanged) -> dict[str, Any]:
        alarm = change.alarm
        moment = datetime.fromtimestamp(change.at, tz=UTC)
        return {
            "AlarmName": alarm.name,
            "AlarmDescription": alarm.settings.get("AlarmDescription"),
            "AWSAccountId": self.account,
            "NewStateValue": alarm.state.value,
            "NewStateReason": alarm.reason,
            "StateChangeTime": moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000",
            "Region": self.region,
            "AlarmArn": alarm.arn,
            "OldStateValue": change.before.value,
            "Trigger": {
                name: alarm.settings[name]
                for name in ("MetricName", "Namespace", "Statistic", "Period")
                if name in alarm.settings
            },
        }
