"""Run foreign code so that it cannot keep the caller: in a thread that may be left."""

from __future__ import annotations

import functools
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NoReturn, TypeVar

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure

T = TypeVar("T")


def start(name: str, work: Callable[[], None]) -> None:
    """Start ``work`` in a daemon thread, which ends with the process at the latest.

    A pool is no use here: its threads are joined at exit, and one of them may hang.
    """
    threading.Thread(target=work, name=name, daemon=True).start()


@dataclass(frozen=True, slots=True)
class Pending(Generic[T]):
    """Work that goes on in a thread of its own."""

    name: str
    _answers: queue.SimpleQueue[Callable[[], T]]

    def result(self, deadline: Deadline) -> T:
        """What the work returned.

        Raises:
            CannotMeasure: it did not end by the deadline.
            BaseException: whatever the work raised.
        """
        try:
            answer = self._answers.get(timeout=deadline.remaining)
        except queue.Empty:
            what = f"{self.name} did not end in time"
            raise CannotMeasure(what, code=Code.HOOK_TIMEOUT) from None
        return answer()


def begin(name: str, work: Callable[[], T]) -> Pending[T]:
    """Start ``work`` in a thread that may be left behind; ``name`` is for messages."""
    pending: Pending[T] = Pending(name, queue.SimpleQueue())

    def run() -> None:
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001 - raised again by result()
            pending._answers.put(functools.partial(_raise, error))  # noqa: SLF001 - own
        else:
            pending._answers.put(lambda: value)  # noqa: SLF001 - own

    start(name, run)
    return pending


def _raise(error: BaseException) -> NoReturn:
    raise error
