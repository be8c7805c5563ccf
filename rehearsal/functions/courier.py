"""How an asynchronous event gets to its function: once, and at once, by default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rehearsal.functions.function import Function


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


class Courier(Protocol):
    """Decides how often, when and in what state an event arrives."""

    def deliveries(self, function: Function, payload: bytes) -> Sequence[Delivery]:
        """What becomes of an event: nothing, a delivery, or several."""
        ...


class PromptCourier:
    """Lambda on a good day."""

    def deliveries(self, function: Function, payload: bytes) -> Sequence[Delivery]:  # noqa: ARG002 - every courier is told
        """Each event once, at once."""
        return (Delivery(payload=payload),)
