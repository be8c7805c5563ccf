"""Notice when a connection has been silent for too long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class SilenceWatch:
    """One timer for a connection, however much it says.

    Args:
        timeout: how long it may be silent now, in seconds.
        on_silence: what is to be done then.
    """

    def __init__(
        self, timeout: Callable[[], float], on_silence: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._on_silence = on_silence
        self._heard = self._loop.time()
        self._timer = self._loop.call_later(timeout(), self._look)

    def heard(self) -> None:
        """Something was said."""
        self._heard = self._loop.time()

    def stop(self) -> None:
        """Watch no more."""
        self._timer.cancel()

    def _look(self) -> None:
        timeout = self._timeout()
        left = self._heard + timeout - self._loop.time()
        if left <= 0:
            left = timeout
            self._on_silence()
        self._timer = self._loop.call_later(left, self._look)
