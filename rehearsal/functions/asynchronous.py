"""Asynchronous invocation: attempts, the age of an event, and the destination.

Source: AWS Lambda developer guide, "How Lambda handles errors and retries with
asynchronous invocation" and "Capturing records of Lambda asynchronous invocations".
"""

from __future__ import annotations

import itertools
import json
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hookgate_rehearsal.functions.function import (
    FleetSettings,
    Function,
    Invocation,
    InvocationResult,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery of an event to a function.

    Attributes:
        delay: Seconds until the first attempt.
        deaths: The number of first attempts whose environment is killed.
    """

    payload: bytes
    delay: float = 0.0
    deaths: int = 0


Deliveries = Callable[[Function, bytes], Sequence[Delivery]]

"""Returns no, one or several deliveries of an event to a function."""


def deliver_once(function: Function, payload: bytes) -> Sequence[Delivery]:  # noqa: ARG001 - the same for each function
    """Deliver an event once, immediately."""
    return (Delivery(payload=payload),)


#: Minutes before the second attempt and before the third.
PAUSES = (1, 2)

EXHAUSTED, TOO_OLD = "RetriesExhausted", "EventAgeExceeded"

Destination = Callable[[str, bytes], None]

"""Gets a destination's ARN and the record of a failed event."""


@dataclass(slots=True, kw_only=True)
class Asynchronous:
    """Runs events in the background as Lambda does.

    Args:
        settings: The account of the functions, and the length of Lambda's minute.
        run: Runs one invocation to its end.
        send_record: Sends a record to a function's destination.
    """

    settings: FleetSettings
    run: Callable[[Function, Invocation], InvocationResult]
    send_record: Destination
    closing: threading.Event = field(default_factory=threading.Event)

    def deliver(self, function: Function, delivery: Delivery) -> None:
        """Attempt one delivery until it succeeds, is too old or has no attempt left."""
        if self.closing.wait(delivery.delay):
            return
        config, minute = function.asynchronous, self.settings.minute
        request_id, received_at = str(uuid.uuid4()), time.monotonic()
        for attempt in itertools.count(1):
            invocation = Invocation(
                payload=delivery.payload,
                request_id=request_id,  # the same in all attempts
                kills_environment=attempt <= delivery.deaths,
            )
            result = self.run(function, invocation)
            if self.closing.is_set() or not result.is_error:
                return
            condition = EXHAUSTED
            if attempt > config.retries:
                break
            pause = PAUSES[attempt - 1] * minute
            age = time.monotonic() - received_at
            if config.event_age * minute / 60 - age <= pause:
                condition = TOO_OLD
                break
            if self.closing.wait(pause):
                return
        if config.on_failure is not None:
            context = {
                "requestId": request_id,
                "functionArn": f"{self.settings.arn(function.name)}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": attempt,
            }
            self.send_record(config.on_failure, _record(context, invocation, result))


def _record(
    context: dict[str, object], invocation: Invocation, result: InvocationResult
) -> bytes:
    """The invocation record, version 1.0, that a destination gets."""
    now = datetime.now(tz=UTC).isoformat(timespec="milliseconds")
    content = {
        "version": "1.0",
        "timestamp": now.replace("+00:00", "Z"),
        "requestContext": context,
        "requestPayload": json.loads(invocation.payload),
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "responsePayload": json.loads(result.payload),
    }
    return json.dumps(content).encode()
