"""Asynchronous invocation: attempts, the age of an event, and who is told in the end.

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
    """One time that an event is handed to a function.

    Attributes:
        delay: Seconds until the first attempt.
        deaths: How many of the first attempts end with the environment killed.
    """

    payload: bytes
    delay: float = 0.0
    deaths: int = 0


class EventInvoker(Protocol):
    """Decides how often, when and in what state an event arrives."""

    def deliveries(self, function: Function, payload: bytes) -> Sequence[Delivery]:
        """What becomes of an event: nothing, a delivery, or several."""
        ...


class DirectEventInvoker:
    """Lambda on a good day."""

    def deliveries(self, function: Function, payload: bytes) -> Sequence[Delivery]:  # noqa: ARG002 - every courier is told
        """Each event once, at once."""
        return (Delivery(payload=payload),)


#: Minutes before the second attempt and before the third.
PAUSES = (1, 2)

EXHAUSTED, TOO_OLD = "RetriesExhausted", "EventAgeExceeded"

Destination = Callable[[str, bytes], None]

"""Takes the record of an event that came to nothing, for a destination's ARN."""


@dataclass(slots=True, kw_only=True)
class Asynchronous:
    """Runs events in the background as Lambda does.

    Args:
        surroundings: Where functions run, and how long Lambda's minute lasts.
        run: Runs one invocation to its end.
        tell: Tells a function's destination.
    """

    settings: FleetSettings
    run: Callable[[Function, Invocation], InvocationResult]
    tell: Destination
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
            self.tell(function.asynchronous.on_failure, record)


class _AsynchronousEvent:
    """An event on its way, and how it has fared so far."""

    def __init__(self, function: Function, delivery: Delivery, minute: float) -> None:
        self._config = function.asynchronous
        self._delivery = delivery
        self._minute = minute
        self._request_id = str(uuid.uuid4())
        self._came = time.monotonic()
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
        left -= time.monotonic() - self._came
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
