"""Sample an access log; print its lines a second and this process's peak as JSON."""

from __future__ import annotations

import json
import sys
import time

from benchmarks.programs.memory import peak
from hookgate.deadline import Deadline
from hookgate.traffic.access_log import AccessLog


def no_aws(service: str, operation: str, /, **_parameters: object) -> dict[str, object]:
    """There is none here."""
    raise RuntimeError(f"{service} {operation}")


def main() -> None:
    """Sample the log that the first argument names."""
    log = AccessLog(file=sys.argv[1], sample=1000)
    started = time.monotonic()
    sample = log.read(no_aws, Deadline.after(120))
    taken = time.monotonic() - started
    print(json.dumps({"rate": sample.lines / taken, "peak": peak()}))


if __name__ == "__main__":
    main()
