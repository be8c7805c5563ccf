"""The script of the watchdog process: it waits, and reports Failed if it has to.

It starts with only the standard library on its path and imports neither json nor
dataclasses, which would take longer than the interpreter itself. It imports what the
report needs only when it reports.
"""

from __future__ import annotations

import os
import select
import sys
import time


class WatchedInvocation:
    """The invocation that is watched; its notes stay JSON until they are needed."""

    def __init__(self, seconds: float, watch: bytes) -> None:
        self.watch = watch
        self.due = time.monotonic() + seconds
        self.doing = b'"starting"'
        self.deployment = b"null"


class WatchdogLoop:
    """Reads the notes of the hook's process and reports Failed if it has to."""

    def __init__(self) -> None:
        self.watched: WatchedInvocation | None = None
        self.buffer = b""

    def run(self) -> None:
        """Run until the hook's process has ended."""
        while True:
            if not select.select([0], [], [], self._timeout())[0]:
                self._report("ran out of time")
                continue
            data = os.read(0, 65536)
            if not data:
                self._report("died")
                return
            self._read(data)

    def _timeout(self) -> float | None:
        return max(0.0, self.watched.due - time.monotonic()) if self.watched else None

    def _read(self, data: bytes) -> None:
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            word, _, rest = line.partition(b" ")
            if word == b"watch":
                seconds, _, watch = rest.partition(b" ")
                self.watched = WatchedInvocation(float(seconds), watch)
            elif self.watched and word == b"due":
                self.watched.due = time.monotonic() + float(rest.split()[0])
            elif word == b"end":
                self.watched = None
            elif self.watched and word == b"note":
                self.watched.doing = rest
            elif self.watched and word == b"deployment":
                self.watched.deployment = rest

    def _report(self, what: str) -> None:
        watched, self.watched = self.watched, None
        if watched is None:
            return
        import json  # noqa: PLC0415 - see the top

        watch = json.loads(watched.watch)
        sys.path[:] = watch["path"]
        from hookgate.watchdog import report_failed  # noqa: PLC0415 - see the top

        doing, deployment = json.loads(watched.doing), json.loads(watched.deployment)
        reason = f"the hook's process {what} while it was {doing}"
        report_failed(watch["ids"], watch["event"], reason, deployment)


if __name__ == "__main__":
    WatchdogLoop().run()
