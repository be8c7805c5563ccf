"""Where the record of an event goes that a function failed at."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rehearsal.functions.fleet import Fleet, UnknownFunctionError

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destinations:
    """Functions, queues and topics of the stage.

    Args:
        fleet: The functions.
        client: Makes a boto3 client of a service of the stage.
    """

    fleet: Fleet
    client: Callable[[str], Any]

    def __call__(self, arn: str, record: bytes) -> None:
        """Hand a record over; as in Lambda, whoever cannot take it is only logged."""
        try:
            self._hand_over(arn, record)
        except Exception:
            _LOGGER.exception("the OnFailure destination %s took no record", arn)

    def _hand_over(self, arn: str, record: bytes) -> None:
        service, name = arn.split(":")[2], arn.rpartition(":")[2]
        match service:
            case "lambda":
                self.fleet.invoke_asynchronously(self.fleet.find(arn), record)
            case "sqs":
                sqs = self.client("sqs")
                url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
                sqs.send_message(QueueUrl=url, MessageBody=record.decode())
            case "sns":
                self.client("sns").publish(TopicArn=arn, Message=record.decode())
            case _:
                message = f"a destination is a function, a queue or a topic, not {arn}"
                raise UnknownFunctionError(message)
