"""One invocation of a function and what came of it."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an invocation came to.

    Attributes:
        payload: The function's answer, or the error as Lambda tells it.
        is_error: Whether Lambda would set ``FunctionError``.
        is_fatal: Whether the environment is used no more, as after a time-out.
    """

    payload: bytes
    is_error: bool = False
    is_fatal: bool = False


def error_outcome(kind: str, message: str, *, is_fatal: bool = False) -> Outcome:
    """An error that Lambda itself reports, such as a time-out."""
    payload = json.dumps({"errorType": kind, "errorMessage": message}).encode()
    return Outcome(payload=payload, is_error=True, is_fatal=is_fatal)


@dataclass(slots=True, kw_only=True, eq=False)
class Invocation:
    """An event on its way through a function; its outcome is set once.

    Attributes:
        is_doomed: Whether the environment is to be killed as it takes the event.
    """

    payload: bytes
    is_doomed: bool = False
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    taken: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    outcome: Outcome | None = None

    def end(self, outcome: Outcome) -> None:
        """Set the outcome, unless it is already set."""
        if self.outcome is None:
            self.outcome = outcome
        self.taken.set()
        self.ended.set()
