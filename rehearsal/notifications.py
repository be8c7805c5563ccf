"""Notifications of alarms and deployments through SNS and EventBridge.

SNS and EventBridge are moto's, with HTTP subscribers and targets on this machine.
Messages have no signature: only AWS has the certificate.

Source: "Parsing Amazon SNS message formats" in the SNS developer guide, "JSON data
formats for CodeDeploy triggers" in CodeDeploy's user guide, and the event "CodeDeploy
Deployment State-change Notification".
"""

from __future__ import annotations

import ipaddress
import json
import logging
import queue
import re
import secrets
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

from hookgate_rehearsal.cloudwatch.alarms import AlarmChanged
from hookgate_rehearsal.codedeploy.engine import Change, StatusChanged
from hookgate_rehearsal.codedeploy.model.deployment import Deployment, DeploymentStatus
from hookgate_rehearsal.codedeploy.registry import DeploymentGroup, Registry
from hookgate_rehearsal.codedeploy.settings import Assumptions
from hookgate_rehearsal.endpoint.moto_state import ACCOUNT
from hookgate_rehearsal.endpoint.protocols import (
    AwsRequest,
    Reply,
    form_of,
    query_error,
    query_reply,
)

_LOGGER = logging.getLogger(__name__)

LONGEST_SUBJECT = 100  # SNS's own limit
MAX_SENT = 10_000

_ENDS = {
    DeploymentStatus.SUCCEEDED: ("DeploymentSuccess", "SUCCESS"),
    DeploymentStatus.FAILED: ("DeploymentFailure", "FAILURE"),
    DeploymentStatus.STOPPED: ("DeploymentStop", "STOP"),
    DeploymentStatus.READY: ("DeploymentReady", "READY"),
}


class Notifications:
    """Sends the changes of alarms and deployments in background.

    The actions of an alarm that are topics run; the others are ignored. A deployment's
    changes go to the current triggers of its group and to the event bus.

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
        self._backend = backend
        self._client = client
        self._registry = registry
        self._assumptions = assumptions
        self._region = region
        self._sent: dict[tuple[str, str], None] = {}
        self.start = dispatcher.start
        self.close = dispatcher.close

    def on_alarm(self, change: AlarmChanged) -> None:
        """Handle a change of an alarm's state."""
        alarm = change.alarm
        if not alarm.actions_enabled:
            return
        message = json.dumps(self._alarm_message(change))
        subject = f'{alarm.state}: "{alarm.name}" in {self._region}'[:LONGEST_SUBJECT]
        for arn in alarm.actions():
            if arn.startswith("arn:aws:sns:"):
                job = partial(self.topics.publish, arn, subject, message)
                self._dispatcher.send(job)

    def on_change(self, change: Change) -> None:
        """Handle a deployment's change; called under the engine's lock."""
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
            self._dispatcher.send(job)

    def _meanings(self, deployment: Deployment) -> Iterator[tuple[str, str | None]]:
        """Get the trigger events of a status, each with EventBridge's state."""
        status = deployment.status
        if status is self._assumptions.start_is_sent_at:
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
            self._put(self._event(deployment, at, state, group))
        if group is None:
            return
        for each in group.settings.get("triggerConfigurations") or []:
            if trigger in each["triggerEvents"]:
                message = json.dumps(self._message(deployment, each["triggerName"]))
                subject = self._subject(deployment)
                self.topics.publish(each["triggerTargetArn"], subject, message)

    def _put(self, event: Mapping[str, Any]) -> None:
        """Send an event; a target that fails is logged."""
        for rule in list(
            self._backend("events").describe_event_bus("default").rules.values()
        ):
            if rule.state != "ENABLED" or not rule.event_pattern.matches_event(event):
                continue
            for target in list(rule.targets):
                try:
                    self._send_event(target, event)
                except Exception as error:  # noqa: BLE001 - of any service
                    _LOGGER.warning("%s took no event: %r", target["Arn"], error)

    def _send_event(self, target: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        arn = target["Arn"]
        service, name = arn.split(":")[2], arn.rpartition(":")[2]
        body = target.get("Input") or json.dumps(event)
        match service:
            case "sqs":
                sqs = self._client("sqs")
                url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
                sqs.send_message(QueueUrl=url, MessageBody=body)
            case "sns":
                self.topics.publish(arn, None, body)
            case "lambda":
                self._client("lambda").invoke(
                    FunctionName=arn, InvocationType="Event", Payload=body.encode()
                )
            case "events" if ":api-destination/" in arn:
                name = arn.partition(":api-destination/")[2].partition("/")[0]
                found = self._client("events").describe_api_destination(Name=name)
                headers = {"Content-Type": "application/json; charset=utf-8"}
                self._dispatcher.post(found["InvocationEndpoint"], body, headers)
            case _:
                message = "targets are queues, topics, functions and API destinations"
                raise ValueError(message)

    def _group(self, deployment: Deployment) -> DeploymentGroup | None:
        order = deployment.order
        with self._registry.lock:
            application = self._registry.applications.get(order.application)
            return application.groups.get(order.group) if application else None

    def _subject(self, deployment: Deployment) -> str:
        status, application = deployment.status.upper(), deployment.order.application
        subject = f"{status}: AWS CodeDeploy {deployment.id} in {self._region} to "
        return (subject + application)[:LONGEST_SUBJECT]

    def _message(self, deployment: Deployment, trigger: str) -> dict[str, Any]:
        order = deployment.order
        message: dict[str, Any] = {
            "region": self._region,
            "accountId": ACCOUNT,
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
        arn = f"arn:aws:codedeploy:{self._region}:{ACCOUNT}:"
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "CodeDeploy Deployment State-change Notification",
            "source": "aws.codedeploy",
            "account": ACCOUNT,
            "time": datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._region,
            "resources": [
                f"{arn}application:{order.application}",
                f"{arn}deploymentgroup:{order.application}/{order.group}",
            ],
            "detail": {
                "instanceGroupId": group.id if group else "",
                "region": self._region,
                "application": order.application,
                "deploymentId": deployment.id,
                "state": state,
                "deploymentGroup": order.group,
            },
        }

    def _alarm_message(self, change: AlarmChanged) -> dict[str, Any]:
        alarm = change.alarm
        moment = datetime.fromtimestamp(change.at, tz=UTC)
        return {
            "AlarmName": alarm.name,
            "AlarmDescription": alarm.settings.get("AlarmDescription"),
            "AWSAccountId": ACCOUNT,
            "NewStateValue": alarm.state.value,
            "NewStateReason": alarm.reason,
            "StateChangeTime": moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000",
            "Region": self._region,
            "AlarmArn": alarm.arn,
            "OldStateValue": change.before.value,
            "Trigger": {
                name: alarm.settings[name]
                for name in ("MetricName", "Namespace", "Statistic", "Period")
                if name in alarm.settings
            },
        }


def _overview(deployment: Deployment) -> dict[str, str]:
    """Counts of the one target, as texts."""
    names = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped")
    return {name: str(int(deployment.target_status == name)) for name in names}


ATTEMPTS = 3  # SNS's own immediate attempts
TIMEOUT = 5.0  # seconds for a subscriber's response
MAX_WAITING = 1000
MAX_TOKENS = 1000

_HTTP = {"http", "https"}
_ARN = re.compile(r"<SubscriptionArn>([^<]+)</SubscriptionArn>")

Job = Callable[[], object]


class NotificationDispatcher:
    """Runs jobs in order until closed; when too many wait, it drops new ones.

    Args:
        host: The emulator's address, which counts as local like loopback.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._jobs: queue.Queue[Job | None] = queue.Queue(MAX_WAITING)
        self._thread = threading.Thread(
            target=self._run, name="notifications", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Run the waiting jobs, and stop."""
        self._jobs.put(None)
        self._thread.join()

    def send(self, job: Job) -> None:
        """Queue a job, without waiting."""
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            _LOGGER.warning("a notification is lost: %s are waiting", MAX_WAITING)

    def post(self, url: str, body: str, headers: Mapping[str, str]) -> None:
        """Post to a subscriber on this machine, up to three times.

        Raises:
            ValueError: The subscriber is elsewhere.
            requests.RequestException: The subscriber failed.
        """
        import requests  # noqa: PLC0415 - most rehearsals have no subscriber

        if not self._is_local(urlsplit(url).hostname or ""):
            raise ValueError(f"{url} is not on this machine")
        for attempt in range(1, ATTEMPTS + 1):
            try:
                requests.post(
                    url,
                    data=body.encode(),
                    headers=dict(headers),
                    timeout=TIMEOUT,
                    allow_redirects=False,
                ).raise_for_status()
            except requests.RequestException:
                if attempt == ATTEMPTS:
                    raise
            else:
                return

    def _is_local(self, host: str) -> bool:
        try:
            return ipaddress.ip_address(host).is_loopback or host == self._host
        except ValueError:
            return host in ("localhost", self._host)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as error:  # noqa: BLE001 - the next job is due
                _LOGGER.warning("a notification failed: %r", error)


class Topics:
    """Subscribes, confirms and publishes for HTTP subscribers; moto does the rest.

    Args:
        backend: Gets moto's SNS backend.
        dispatcher: Sends messages.
        endpoint_url: Gets the emulator's endpoint, for SubscribeURL.
    """

    def __init__(
        self,
        backend: Callable[[], Any],
        dispatcher: NotificationDispatcher,
        endpoint_url: Callable[[], str],
    ) -> None:
        self._backend = backend
        self._dispatcher = dispatcher
        self._endpoint_url = endpoint_url
        self._tokens: dict[str, str] = {}

    def handle(self, request: AwsRequest) -> Reply:
        """Answer a request."""
        form = form_of(request.body)
        topic = form.get("TopicArn", "")
        match form.get("Action"):
            case "Subscribe" if form.get("Protocol") in _HTTP:
                reply = request.moto()
                found = _ARN.search(reply.body.decode())
                if found:
                    self._invite(found[1], topic, form.get("Endpoint", ""))
                return reply
            case "ConfirmSubscription":
                return self._confirm(topic, form.get("Token", ""))
            case "Publish" if any(s.protocol in _HTTP for s in self._of(topic)):
                id_ = self.publish(topic, form.get("Subject"), form.get("Message", ""))
                return query_reply("sns", "Publish", {"MessageId": id_})
        return request.moto()

    def publish(self, topic: str, subject: str | None, message: str) -> str:
        """Send a message to every subscriber; to confirmed HTTP ones in background.

        Returns:
            The message's id.

        Raises:
            KeyError: The topic does not exist.
        """
        if topic not in self._backend().topics:
            raise KeyError(f"there is no topic {topic}")
        id_ = str(uuid.uuid4())
        for each in self._of(topic):
            if each.protocol not in _HTTP:
                _publish_in_moto(each, message, id_, subject)
            elif each.confirmed:
                self._dispatcher.send(
                    partial(self._notify, each, id_, subject, message)
                )
        return id_

    def _confirm(self, topic: str, token: str) -> Reply:
        found = self._backend().subscriptions.get(self._tokens.get(token))
        if found is None or found.topic.arn != topic:
            return query_error("sns", "InvalidParameter", "Invalid token")
        found.confirmed = True
        content = {"SubscriptionArn": found.arn}
        return query_reply("sns", "ConfirmSubscription", content)

    def _notify(
        self, subscription: Any, id_: str, subject: str | None, message: str
    ) -> None:
        content = subscription.get_post_data(message, id_, subject)
        self._post("Notification", content, subscription.endpoint, subscription.arn)

    def _invite(self, arn: str, topic: str, endpoint: str) -> None:
        """Ask a new subscriber to confirm, as SNS does."""
        if len(self._tokens) >= MAX_TOKENS:
            del self._tokens[next(iter(self._tokens))]
        token = secrets.token_hex(32)
        self._tokens[token] = arn
        query = {"Action": "ConfirmSubscription", "TopicArn": topic, "Token": token}
        now = datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        content = {
            "Type": "SubscriptionConfirmation",
            "MessageId": str(uuid.uuid4()),
            "Token": token,
            "TopicArn": topic,
            "Message": f"You have chosen to subscribe to the topic {topic}.\nTo "
            "confirm the subscription, visit the SubscribeURL included in this "
            "message.",
            "SubscribeURL": f"{self._endpoint_url()}/?{urlencode(query)}",
            "Timestamp": f"{now}Z",
            "SignatureVersion": "2",
            "Signature": "",
            "SigningCertURL": "",
        }
        self._dispatcher.send(
            partial(self._post, content["Type"], content, endpoint, arn)
        )

    def _post(self, kind: str, content: dict[str, Any], url: str, arn: str) -> None:
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "User-Agent": "Amazon Simple Notification Service Agent",
            "x-amz-sns-message-type": kind,
            "x-amz-sns-message-id": content["MessageId"],
            "x-amz-sns-topic-arn": content["TopicArn"],
            "x-amz-sns-subscription-arn": arn,
        }
        self._dispatcher.post(url, json.dumps(content), headers)

    def _of(self, topic: str) -> Iterator[Any]:
        subscriptions = list(self._backend().subscriptions.values())
        return (each for each in subscriptions if each.topic.arn == topic)


def _publish_in_moto(
    subscription: Any, message: str, id_: str, subject: str | None
) -> None:
    """Publish to one of moto's subscribers; a failure does not concern the others."""
    try:
        subscription.publish(message, id_, subject=subject)
    except Exception as error:  # noqa: BLE001 - of any service
        _LOGGER.warning("%s took no message: %s", subscription.endpoint, error)
