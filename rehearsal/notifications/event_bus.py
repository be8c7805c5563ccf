"""EventBridge's default bus: rules as moto keeps them, targets of the stage."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.notifications.postman import Postman
from rehearsal.notifications.topics import Topics

_LOGGER = logging.getLogger(__name__)


class EventBus:
    """Hands events to the targets of the rules that match.

    Args:
        backend: Gives moto's EventBridge backend.
        client: Makes a boto3 client of a service of the stage.
        topics: SNS.
        postman: Posts to API destinations.
    """

    def __init__(
        self,
        backend: Callable[[], Any],
        client: Callable[[str], Any],
        topics: Topics,
        postman: Postman,
    ) -> None:
        self._backend = backend
        self._client = client
        self._topics = topics
        self._postman = postman

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
        self._postman.post(told["InvocationEndpoint"], body, headers)
