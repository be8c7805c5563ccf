"""The process behind ``watchdog.LastWord``: waits, and reports Failed if it must.

Started with nothing but the standard library on its path, so that it is small and up
at once. Only when it has to speak does it load what the report needs.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Charge:
    """The pass that is being watched."""

    watch: dict[str, Any]
    due: float
    doing: str = "starting"
    deployment: dict[str, Any] | None = None


@dataclass
class Listener:
    """Follows what the hook's process says of itself."""

    charge: Charge | None = None
    buffer: bytes = field(default=b"")

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
            message = json.loads(line)
            if "watch" in message:
                watch = message["watch"]
                self.charge = Charge(watch, time.monotonic() + watch["seconds"])
            elif "end" in message:
                self.charge = None
            elif self.charge and "note" in message:
                self.charge.doing = message["note"]
            elif self.charge and "deployment" in message:
                self.charge.deployment = message["deployment"]

    def _speak(self, what: str) -> None:
        charge, self.charge = self.charge, None
        if charge is None:
            return
        sys.path[:] = charge.watch["path"]
        from hookgate.last_report import report_failed  # noqa: PLC0415 - see the top

        reason = f"the hook's process {what} while it was {charge.doing}"
        report_failed(
            charge.watch["ids"], charge.watch["event"], reason, charge.deployment
        )


if __name__ == "__main__":
    Listener().run()
