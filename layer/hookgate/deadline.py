"""A monotonic clock, deadlines that only shrink, and work that a deadline bounds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from hookgate.codes import Code
from hookgate.errors import CannotMeasure


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


T = TypeVar("T")


def start(name: str, work: Callable[[], None]) -> None:
    """Start ``work`` in a daemon thread.

    Not in a pool: its threads are joined at exit, and a step may hang.
    """
    threading.Thread(target=work, name=name, daemon=True).start()


@dataclass(frozen=True, slots=True)
class Pending(Generic[T]):
    """Work that runs in a thread of its own."""

    name: str
    future: Future[T] = field(default_factory=Future)

    def result(self, deadline: Deadline) -> T:
        """Return the result of the work.

        Raises:
            CannotMeasure: it did not end by the deadline.
            BaseException: the exception of the work.
        """
        done, _ = wait([self.future], timeout=deadline.remaining)
        if not done:
            what = f"{self.name} did not end in time"
            raise CannotMeasure(what, code=Code.HOOK_TIMEOUT)
        return self.future.result()


def begin(name: str, work: Callable[[], T]) -> Pending[T]:
    """Start ``work`` in a thread that can be abandoned; messages contain ``name``."""
    pending: Pending[T] = Pending(name)

    def run() -> None:
        try:
            pending.future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again by result()
            pending.future.set_exception(error)

    start(name, run)
    return pending
