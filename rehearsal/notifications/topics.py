"""SNS and EventBridge: moto's, with HTTP subscribers and targets on this machine.

Source: "Parsing Amazon SNS message formats" in the SNS developer guide. Messages have
no signature: only AWS has the certificate.
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

from hookgate_rehearsal.endpoint.protocols import (
    AwsRequest,
    Reply,
    form_of,
    query_error,
    query_reply,
)

_LOGGER = logging.getLogger(__name__)

ATTEMPTS = 3  # SNS's own immediate attempts
TIMEOUT = 5.0  # seconds for a subscriber's response
MAX_WAITING = 1000
MAX_TOKENS = 1000

_HTTP = {"http", "https"}
_ARN = re.compile(r"<SubscriptionArn>([^<]+)</SubscriptionArn>")

Job = Callable[[], object]


class NotLocalError(ValueError):
    """A subscriber is not on this machine; a rehearsal notifies no other."""


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
            NotLocalError: The subscriber is elsewhere.
            requests.RequestException: The subscriber failed.
        """
        import requests  # noqa: PLC0415 - most rehearsals have no subscriber

        self._check_local(url)
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

    def _check_local(self, url: str) -> None:
        name = urlsplit(url).hostname or ""
        try:
            is_local = ipaddress.ip_address(name).is_loopback
        except ValueError:
            is_local = name == "localhost"
        if not is_local and name != self._host:
            raise NotLocalError(f"{url} is not on this machine")

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


class EventBus:
    """Sends events to the targets of the rules that match.

    Args:
        backend: Gets moto's EventBridge backend.
        client: Makes a boto3 client of a service of the emulator.
        topics: SNS.
        dispatcher: Posts to API destinations.
    """

    def __init__(
        self,
        backend: Callable[[], Any],
        client: Callable[[str], Any],
        topics: Topics,
        dispatcher: NotificationDispatcher,
    ) -> None:
        self._backend = backend
        self._client = client
        self._topics = topics
        self._dispatcher = dispatcher

    def put(self, event: Mapping[str, Any]) -> None:
        """Send an event; a target that fails is logged."""
        for rule in list(self._backend().describe_event_bus("default").rules.values()):
            if rule.state != "ENABLED" or not rule.event_pattern.matches_event(event):
                continue
            for target in list(rule.targets):
                try:
                    self._send(target, event)
                except Exception as error:  # noqa: BLE001 - of any service
                    _LOGGER.warning("%s took no event: %r", target["Arn"], error)

    def _send(self, target: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        arn = target["Arn"]
        service, name = arn.split(":")[2], arn.rpartition(":")[2]
        body = target.get("Input") or json.dumps(event)
        match service:
            case "sqs":
                sqs = self._client("sqs")
                url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
                sqs.send_message(QueueUrl=url, MessageBody=body)
            case "sns":
                self._topics.publish(arn, None, body)
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
