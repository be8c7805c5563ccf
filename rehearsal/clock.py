"""Where the engine's time comes from."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Epoch seconds that never go back; tests bring a clock that they wind."""

    def now(self) -> float:
        """The time, in epoch seconds."""
        ...


class SystemClock:
    """The machine's time, steady even when somebody sets the machine's clock."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """The time, in epoch seconds."""
        return time.monotonic() + self._offset
