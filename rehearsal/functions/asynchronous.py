"""Asynchronous invocation: attempts, the age of an event, and the destination.

Source: AWS Lambda developer guide, "How Lambda handles errors and retries with
asynchronous invocation" and "Capturing records of Lambda asynchronous invocations".
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

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


class EventInvoker(Protocol):
    """Decides when and how often an event is delivered."""

    def deliveries(self, function: Function, payload: bytes) -> Sequence[Delivery]:
        """Return no, one or several deliveries of an event."""
        ...


class DirectEventInvoker:
    """Invokes each function once, immediately."""

    def deliveries(self, function: Function, payload: bytes) -> Sequence[Delivery]:  # noqa: ARG002 - the protocol's argument
        """Deliver the event once."""
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
        one = _AsynchronousEvent(function, delivery, self.settings.minute)
        while True:
            result = self.run(function, one.attempt())
            if self.closing.is_set() or not result.is_error:
                return
            pause = one.pause()
            if pause is None:
                break
            if self.closing.wait(pause):
                return
        record = one.record(result, self.settings.arn(function.name))
        if function.asynchronous.on_failure is not None:
            self.send_record(function.asynchronous.on_failure, record)


class _AsynchronousEvent:
    """An event and its attempts."""

    def __init__(self, function: Function, delivery: Delivery, minute: float) -> None:
        self._config = function.asynchronous
        self._delivery = delivery
        self._minute = minute
        self._request_id = str(uuid.uuid4())
        self._received_at = time.monotonic()
        self._attempts = 0
        self._condition = EXHAUSTED

    def attempt(self) -> Invocation:
        """The next attempt; all have one request id."""
        self._attempts += 1
        return Invocation(
            payload=self._delivery.payload,
            request_id=self._request_id,
            kills_environment=self._attempts <= self._delivery.deaths,
        )

    def pause(self) -> float | None:
        """Seconds until the next attempt; None if there is none."""
        if self._attempts > self._config.retries:
            return None
        pause = PAUSES[self._attempts - 1] * self._minute
        left = self._config.event_age * self._minute / 60
        left -= time.monotonic() - self._received_at
        if left <= pause:
            self._condition = TOO_OLD
            return None
        return pause

    def record(self, result: InvocationResult, arn: str) -> bytes:
        """The invocation record, version 1.0, that a destination gets."""
        context = {
            "requestId": self._request_id,
            "functionArn": f"{arn}:$LATEST",
            "condition": self._condition,
            "approximateInvokeCount": self._attempts,
        }
        answered = {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        }
        now = datetime.now(tz=UTC).isoformat(timespec="milliseconds")
        content: dict[str, Any] = {
            "version": "1.0",
            "timestamp": now.replace("+00:00", "Z"),
            "requestContext": context,
            "requestPayload": json.loads(self._delivery.payload),
            "responseContext": answered,
            "responsePayload": json.loads(result.payload),
        }
        return json.dumps(content).encode()
