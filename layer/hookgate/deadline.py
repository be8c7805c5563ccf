"""A monotonic clock, and deadlines that only shrink."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol


class Clock(Protocol):
    """The source of time; tests use a virtual one."""

    def now(self) -> float:
        """Seconds on a clock that never goes backwards."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``."""
        ...


class SystemClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Seconds since an arbitrary start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block this thread for ``seconds``."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The time by which work must end."""

    at: float
    clock: Clock = field(default_factory=SystemClock)

    @classmethod
    def after(cls, seconds: float, clock: Clock | None = None) -> Deadline:
        """The deadline ``seconds`` from now."""
        clock = clock or SystemClock()
        return cls(clock.now() + seconds, clock)

    @property
    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.at - self.clock.now())

    @property
    def expired(self) -> bool:
        """Whether no time is left."""
        return self.remaining <= 0

    def within(self, seconds: float) -> Deadline:
        """The earlier of this deadline and ``seconds`` from now."""
        return Deadline(min(self.at, self.clock.now() + seconds), self.clock)

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``, or the remaining time if that is less."""
        self.clock.sleep(min(seconds, self.remaining))
