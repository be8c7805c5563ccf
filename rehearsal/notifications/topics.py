"""SNS: moto's, with HTTP subscribers that confirm and are told in SNS's own form.

Source: "Parsing Amazon SNS message formats" in the SNS developer guide. Signatures
stand for nothing: their certificate lies where only AWS has it.
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
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.sax.saxutils import escape

from hookgate_rehearsal.endpoint.protocols import Reply

_LOGGER = logging.getLogger(__name__)

#: SNS's own tries without a pause between them.
TRIES = 3

TIMEOUT = 5.0  # seconds for a subscriber's answer

MOST_WAITING = 1000

Job = Callable[[], object]


class NotLocalError(ValueError):
    """A subscriber is not on this machine; a rehearsal tells nobody else."""


class NotificationDispatcher:
    """Runs errands one after the other until closed; further ones are then dropped.

    Args:
        host: The emulator's own address, which counts as local beside loopback.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._jobs: queue.Queue[Job | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(
            target=self._run, name="notifications", daemon=True
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Run what is waiting, and stop."""
        self._jobs.put(None)
        self._thread.join()

    def send(self, job: Job) -> None:
        """Have an errand run soon; it must not be waited for."""
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            _LOGGER.warning("a notification is lost: %s are waiting", MOST_WAITING)

    def post(self, url: str, body: str, headers: Mapping[str, str]) -> None:
        """Post to a subscriber on this machine, up to three times.

        Raises:
            NotLocalError: The subscriber is elsewhere.
            requests.RequestException: It does not take it.
        """
        import requests  # noqa: PLC0415 - most rehearsals notify nobody

        self._check(url)
        for tried in range(1, TRIES + 1):
            try:
                requests.post(
                    url,
                    data=body.encode(),
                    headers=dict(headers),
                    timeout=TIMEOUT,
                    allow_redirects=False,
                ).raise_for_status()
            except requests.RequestException:
                if tried == TRIES:
                    raise
            else:
                return

    def _check(self, url: str) -> None:
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
            except Exception as error:  # noqa: BLE001 - whatever it was, the next one is due
                _LOGGER.warning("a notification was not handed over: %r", error)


NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"

MOST_TOKENS = 1000

_HTTP = {"http", "https"}

_ARN = re.compile(r"<SubscriptionArn>([^<]+)</SubscriptionArn>")


class Topics:
    """Subscribes, confirms and publishes where HTTP subscribers are concerned.

    Args:
        backend: Gives moto's SNS backend.
        postman: Hands over.
        endpoint_url: Gives the emulator's endpoint, for SubscribeURL.
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

    def answer(self, body: bytes, moto: Callable[[], Reply]) -> Reply:
        """Answer a request in the query protocol.

        Args:
            body: The request as a form.
            moto: Gives moto's answer, for what is moto's to answer.
        """
        fields = parse_qs(body.decode(errors="replace"))
        form = {name: values[0] for name, values in fields.items()}
        match form.get("Action"):
            case "Subscribe" if form.get("Protocol") in _HTTP:
                reply = moto()
                found = _ARN.search(reply.body.decode())
                if found:
                    self._invite(found[1], form["TopicArn"], form.get("Endpoint", ""))
                return reply
            case "ConfirmSubscription":
                return self.confirm(form.get("TopicArn", ""), form.get("Token", ""))
            case "Publish" if self._over_http(form.get("TopicArn", "")):
                id_ = self.publish(
                    form["TopicArn"], form.get("Subject"), form.get("Message", "")
                )
                return _reply("Publish", f"<MessageId>{id_}</MessageId>")
        return moto()

    def confirm(self, topic: str, token: str) -> Reply:
        """Take a subscriber's confirmation, by the token it was sent."""
        arn = self._tokens.get(token)
        found = self._backend().subscriptions.get(arn)
        if found is None or found.topic.arn != topic:
            message = "Invalid token"
            return _error("InvalidParameter", message)
        found.confirmed = True
        return _reply(
            "ConfirmSubscription",
            f"<SubscriptionArn>{escape(found.arn)}</SubscriptionArn>",
        )

    def publish(self, topic: str, subject: str | None, message: str) -> str:
        """Tell every subscriber; HTTP ones that have confirmed, in their own time.

        Returns:
            The message's id.

        Raises:
            KeyError: There is no such topic.
        """
        if topic not in self._backend().topics:
            raise KeyError(f"there is no topic {topic}")
        id_ = str(uuid.uuid4())
        for each in self._subscriptions(topic):
            if each.protocol not in _HTTP:
                _hand_over(each, message, id_, subject)
            elif each.confirmed:
                self._dispatcher.send(
                    partial(self._notify, each, id_, subject, message)
                )
        return id_

    def _notify(
        self, subscription: Any, id_: str, subject: str | None, message: str
    ) -> None:
        told = subscription.get_post_data(message, id_, subject)
        self._post("Notification", told, subscription.endpoint, subscription.arn)

    def _invite(self, arn: str, topic: str, endpoint: str) -> None:
        """Ask a new subscriber to confirm, as SNS does."""
        if len(self._tokens) >= MOST_TOKENS:
            del self._tokens[next(iter(self._tokens))]
        token = secrets.token_hex(32)
        self._tokens[token] = arn
        asked = {"Action": "ConfirmSubscription", "TopicArn": topic, "Token": token}
        told = {
            "Type": "SubscriptionConfirmation",
            "MessageId": str(uuid.uuid4()),
            "Token": token,
            "TopicArn": topic,
            "Message": f"You have chosen to subscribe to the topic {topic}.\nTo "
            "confirm the subscription, visit the SubscribeURL included in this "
            "message.",
            "SubscribeURL": f"{self._endpoint_url()}/?{urlencode(asked)}",
            "Timestamp": datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
            + "Z",
            "SignatureVersion": "2",
            "Signature": "",
            "SigningCertURL": "",
        }
        self._dispatcher.send(
            partial(self._post, "SubscriptionConfirmation", told, endpoint, arn)
        )

    def _post(self, kind: str, told: dict[str, Any], endpoint: str, arn: str) -> None:
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "User-Agent": "Amazon Simple Notification Service Agent",
            "x-amz-sns-message-type": kind,
            "x-amz-sns-message-id": told["MessageId"],
            "x-amz-sns-topic-arn": told["TopicArn"],
            "x-amz-sns-subscription-arn": arn,
        }
        self._dispatcher.post(endpoint, json.dumps(told), headers)

    def _subscriptions(self, topic: str) -> Iterator[Any]:
        subscriptions = list(self._backend().subscriptions.values())
        return (each for each in subscriptions if each.topic.arn == topic)

    def _over_http(self, topic: str) -> bool:
        return any(each.protocol in _HTTP for each in self._subscriptions(topic))


def _hand_over(subscription: Any, message: str, id_: str, subject: str | None) -> None:
    """Tell one subscriber of moto's; the others are told even if it is gone."""
    try:
        subscription.publish(message, id_, subject=subject)
    except Exception as error:  # noqa: BLE001 - moto's, of whatever service it is
        _LOGGER.warning("%s took no message: %s", subscription.endpoint, error)


def _reply(operation: str, result: str) -> Reply:
    body = (
        f'<{operation}Response xmlns="{NAMESPACE}"><{operation}Result>{result}'
        f"</{operation}Result><ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId>"
        f"</ResponseMetadata></{operation}Response>"
    )
    return Reply(status=200, body=body.encode(), headers={"Content-Type": "text/xml"})


def _error(code: str, message: str) -> Reply:
    body = (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{message}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return Reply(status=400, body=body.encode(), headers={"Content-Type": "text/xml"})


class EventBus:
    """Hands events to the targets of the rules that match.

    Args:
        backend: Gives moto's EventBridge backend.
        client: Makes a boto3 client of a service of the emulator.
        topics: SNS.
        postman: Posts to API destinations.
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
        """Hand an event over; a target that does not take it is logged."""
        for rule in list(self._backend().describe_event_bus("default").rules.values()):
            if rule.state != "ENABLED" or not rule.event_pattern.matches_event(event):
                continue
            for target in list(rule.targets):
                try:
                    self._hand_over(target, event)
                except Exception as error:  # noqa: BLE001 - of whatever service it is
                    _LOGGER.warning("%s took no event: %r", target["Arn"], error)

    def _hand_over(self, target: Mapping[str, Any], event: Mapping[str, Any]) -> None:
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
                self._post(arn.partition(":api-destination/")[2], body)
            case _:
                message = "targets are queues, topics, functions and API destinations"
                raise ValueError(message)

    def _post(self, destination: str, body: str) -> None:
        name = destination.partition("/")[0]
        told = self._client("events").describe_api_destination(Name=name)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        self._dispatcher.post(told["InvocationEndpoint"], body, headers)
