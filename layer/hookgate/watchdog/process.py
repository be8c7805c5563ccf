"""The process behind ``watchdog.Watchdog``: waits, and reports Failed if it must.

Started with nothing but the standard library on its path, so that it is small and up
at once: not even json or dataclasses, which cost more than the interpreter itself.
Only when it has to speak does it load what the report needs.
"""

from __future__ import annotations

import os
import select
import sys
import time


class Charge:
    """The pass that is being watched; what was said of it is JSON until it matters."""

    def __init__(self, seconds: float, watch: bytes) -> None:
        self.watch = watch
        self.due = time.monotonic() + seconds
        self.doing = b'"starting"'
        self.deployment = b"null"


class Listener:
    """Follows what the hook's process says of itself."""

    def __init__(self) -> None:
        self.charge: Charge | None = None
        self.buffer = b""

    def run(self) -> None:
        """Listen until the hook's process is gone."""
        while True:
            if not select.select([0], [], [], self._patience())[0]:
                self._speak("ran out of time")
                continue
            data = os.read(0, 65536)
            if not data:
                self._speak("died")
                return
            self._hear(data)

    def _patience(self) -> float | None:
        return max(0.0, self.charge.due - time.monotonic()) if self.charge else None

    def _hear(self, data: bytes) -> None:
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            word, _, rest = line.partition(b" ")
            if word == b"watch":
                seconds, _, watch = rest.partition(b" ")
                self.charge = Charge(float(seconds), watch)
            elif self.charge and word == b"due":
                self.charge.due = time.monotonic() + float(rest.split()[0])
            elif word == b"end":
                self.charge = None
            elif self.charge and word == b"note":
                self.charge.doing = rest
            elif self.charge and word == b"deployment":
                self.charge.deployment = rest

    def _speak(self, what: str) -> None:
        charge, self.charge = self.charge, None
        if charge is None:
            return
        import json  # noqa: PLC0415 - see the top

        watch = json.loads(charge.watch)
        sys.path[:] = watch["path"]
        from hookgate.watchdog.fallback_report import report_failed  # noqa: PLC0415 - see the top

        doing, deployment = json.loads(charge.doing), json.loads(charge.deployment)
        reason = f"the hook's process {what} while it was {doing}"
        report_failed(watch["ids"], watch["event"], reason, deployment)


if __name__ == "__main__":
    Listener().run()
