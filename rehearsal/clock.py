"""The engine's clock."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A clock that never goes back; tests inject one that they set."""

    def now(self) -> float:
        """The time, in epoch seconds."""
        ...


class SystemClock:
    """The system's time, not affected by later changes of the system clock."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """The time, in epoch seconds."""
        return time.monotonic() + self._offset
