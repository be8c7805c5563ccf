"""An asyncio loop in a thread of its own, for synchronous callers."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
CLOSING = 10.0  # seconds
_LOGGER = logging.getLogger(__name__)


class LoopThread:
    """Run an event loop in a thread; its methods may be called from any other.

    Args:
        name: the thread's name.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and not closed."""
        return self._thread is not None

    def start(self) -> None:
        """Start the loop.

        Raises:
            RuntimeError: it is running already.
        """
        if self._thread is not None:
            raise RuntimeError(f"{self._name} is running already")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=_run, args=(self._loop,), name=self._name, daemon=True
        )
        self._thread.start()

    def call(self, function: Callable[[], T]) -> T:
        """Call a function between two events of the loop, and return its result.

        From a callback of the loop itself the function is called at once.
        """
        if threading.current_thread() is self._thread:
            return function()

        async def call() -> T:
            return function()

        return self.run(call())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end, and return its result.

        Raises:
            RuntimeError: not started, or called from the loop, which would not end.
        """
        if self._loop is None or threading.current_thread() is self._thread:
            coroutine.close()
            if self._loop is None:
                raise RuntimeError(f"{self._name} is not running; call start() first")
            raise RuntimeError(f"{self._name} cannot wait for itself")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        """Cancel the running tasks, and end the thread."""
        if self._thread is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._thread = self._loop = None


def _run(loop: asyncio.AbstractEventLoop) -> None:
    with asyncio.Runner(
        loop_factory=lambda: loop
    ) as runner:  # cancels tasks at its end
        runner.get_loop().run_forever()


async def until(holds: Callable[[], bool], seconds: float = CLOSING) -> None:
    """Let the loop run until a condition holds.

    After ``seconds`` it logs an error and returns, so that the emulator always closes.
    """
    give_up = time.monotonic() + seconds
    while not holds():  # a few iterations of the loop; there is no event to wait for
        if time.monotonic() > give_up:
            _LOGGER.error("connections or tasks were still open after %g s", seconds)
            return
        await asyncio.sleep(0)
