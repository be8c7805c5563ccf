"""Notifications of alarms and deployments through SNS and EventBridge.

Source: "JSON data formats for CodeDeploy triggers" in CodeDeploy's user guide, and the
event "CodeDeploy Deployment State-change Notification".
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from hookgate_rehearsal.cloudwatch.alarms import AlarmChanged
from hookgate_rehearsal.codedeploy.model.deployment import Deployment, DeploymentStatus
from hookgate_rehearsal.codedeploy.observation import Change, StatusChanged
from hookgate_rehearsal.codedeploy.registry import DeploymentGroup, Registry
from hookgate_rehearsal.codedeploy.settings import Assumptions
from hookgate_rehearsal.endpoint.moto_state import ACCOUNT
from hookgate_rehearsal.notifications.topics import (
    EventBus,
    NotificationDispatcher,
    Topics,
)


class Notifications:
    """SNS, EventBridge, and their sources.

    Args:
        backend: Gets moto's backend of a service.
        client: Makes a boto3 client of a service of the emulator.
        endpoint_url: Gets the emulator's endpoint.
        registry: Stores the deployment groups and their triggers.
        assumptions: What is unverified about CodeDeploy.
        region: The emulator's region.
        host: The emulator's own address.
    """

    def __init__(  # noqa: PLR0913 - each is a part of the emulator, named when given
        self,
        *,
        backend: Callable[[str], Any],
        client: Callable[[str], Any],
        endpoint_url: Callable[[], str],
        registry: Registry,
        assumptions: Assumptions,
        region: str,
        host: str,
    ) -> None:
        self._dispatcher = dispatcher = NotificationDispatcher(host)
        self.topics = Topics(lambda: backend("sns"), dispatcher, endpoint_url)
        bus = EventBus(lambda: backend("events"), client, self.topics, dispatcher)
        self.of_alarms = AlarmActions(
            topics=self.topics, dispatcher=dispatcher, region=region, account=ACCOUNT
        )
        self.of_deployments = DeploymentNotices(
            registry=registry,
            topics=self.topics,
            bus=bus,
            dispatcher=dispatcher,
            region=region,
            account=ACCOUNT,
            assumptions=assumptions,
        )

    def start(self) -> None:
        """Start to send."""
        self._dispatcher.start()

    def close(self) -> None:
        """Send the waiting messages, and stop."""
        self._dispatcher.close()


LONGEST_SUBJECT = 100  # SNS's own limit

MAX_SENT = 10_000

_ENDS = {
    DeploymentStatus.SUCCEEDED: ("DeploymentSuccess", "SUCCESS"),
    DeploymentStatus.FAILED: ("DeploymentFailure", "FAILURE"),
    DeploymentStatus.STOPPED: ("DeploymentStop", "STOP"),
    DeploymentStatus.READY: ("DeploymentReady", "READY"),
}


@dataclass(slots=True, kw_only=True)
class DeploymentNotices:
    """Sends a deployment's changes to triggers and the event bus, in background.

    Args:
        registry: Stores the groups, whose current triggers apply.
        topics: SNS.
        bus: EventBridge.
        dispatcher: Sends the messages in background.
        region: The emulator's region.
        account: The emulator's account.
        assumptions: What is unverified about CodeDeploy.
    """

    registry: Registry
    topics: Topics
    bus: EventBus
    dispatcher: NotificationDispatcher
    region: str
    account: str
    assumptions: Assumptions
    _sent: dict[tuple[str, str], None] = field(default_factory=dict)

    def __call__(self, change: Change) -> None:
        """Handle a change; called under the engine's lock."""
        if not isinstance(change, StatusChanged):
            return
        for trigger, state in self._meanings(change.deployment):
            key = (change.deployment.id, trigger)
            if key in self._sent:
                continue  # a deployment that was Ready is InProgress for a second time
            if len(self._sent) >= MAX_SENT:
                del self._sent[next(iter(self._sent))]
            self._sent[key] = None
            job = partial(self._send, change.deployment, change.at, trigger, state)
            self.dispatcher.send(job)

    def _meanings(self, deployment: Deployment) -> Iterator[tuple[str, str | None]]:
        """Get the trigger events of a status, each with EventBridge's state."""
        status = deployment.status
        if status is self.assumptions.start_is_sent_at:
            yield "DeploymentStart", "START"
        is_rollback = deployment.order.rollback_of is not None
        if status is DeploymentStatus.CREATED and is_rollback:
            yield "DeploymentRollback", None
        if status in _ENDS:
            yield _ENDS[status]

    def _send(
        self, deployment: Deployment, at: float, trigger: str, state: str | None
    ) -> None:
        group = self._group(deployment)
        if state is not None:
            self.bus.put(self._event(deployment, at, state, group))
        if group is None:
            return
        for each in group.settings.get("triggerConfigurations") or []:
            if trigger in each["triggerEvents"]:
                message = json.dumps(self._message(deployment, each["triggerName"]))
                subject = self._subject(deployment)
                self.topics.publish(each["triggerTargetArn"], subject, message)

    def _group(self, deployment: Deployment) -> DeploymentGroup | None:
        order = deployment.order
        with self.registry.lock:
            application = self.registry.applications.get(order.application)
            return application.groups.get(order.group) if application else None

    def _subject(self, deployment: Deployment) -> str:
        status, application = deployment.status.upper(), deployment.order.application
        subject = f"{status}: AWS CodeDeploy {deployment.id} in {self.region} to "
        return (subject + application)[:LONGEST_SUBJECT]

    def _message(self, deployment: Deployment, trigger: str) -> dict[str, Any]:
        order = deployment.order
        message: dict[str, Any] = {
            "region": self.region,
            "accountId": self.account,
            "eventTriggerName": trigger,
            "applicationName": order.application,
            "deploymentId": deployment.id,
            "deploymentGroupName": order.group,
            "createTime": f"{order.created_at:.3f}",
            "status": deployment.status.value,
        }
        if deployment.completed_at is not None:
            message["completeTime"] = f"{deployment.completed_at:.3f}"
            message["deploymentOverview"] = _overview(deployment)
        if deployment.error is not None:
            message["errorInformation"] = {
                "ErrorCode": deployment.error.code.value,
                "ErrorMessage": deployment.error.message,
            }
        return message

    def _event(
        self,
        deployment: Deployment,
        at: float,
        state: str,
        group: DeploymentGroup | None,
    ) -> Mapping[str, Any]:
        order = deployment.order
        arn = f"arn:aws:codedeploy:{self.region}:{self.account}:"
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "CodeDeploy Deployment State-change Notification",
            "source": "aws.codedeploy",
            "account": self.account,
            "time": datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.region,
            "resources": [
                f"{arn}application:{order.application}",
                f"{arn}deploymentgroup:{order.application}/{order.group}",
            ],
            "detail": {
                "instanceGroupId": group.id if group else "",
                "region": self.region,
                "application": order.application,
                "deploymentId": deployment.id,
                "state": state,
                "deploymentGroup": order.group,
            },
        }


def _overview(deployment: Deployment) -> dict[str, str]:
    """Counts of the one target, as texts."""
    names = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped")
    return {name: str(int(deployment.target_status == name)) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmActions:
    """Runs the actions of alarms that are topics; it ignores the others.

    Args:
        topics: SNS.
        dispatcher: Sends the messages in background.
        region: The emulator's region.
        account: The emulator's account.
    """

    topics: Topics
    dispatcher: NotificationDispatcher
    region: str
    account: str

    def __call__(self, change: AlarmChanged) -> None:
        """Handle a change of an alarm's state."""
        alarm = change.alarm
        if not alarm.actions_enabled:
            return
        message = json.dumps(self._message(change))
        subject = f'{alarm.state}: "{alarm.name}" in {self.region}'[:LONGEST_SUBJECT]
        for arn in alarm.actions():
            if arn.startswith("arn:aws:sns:"):
                self.dispatcher.send(
                    partial(self.topics.publish, arn, subject, message)
                )

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
