"""The memory of this process."""

from __future__ import annotations

import re
from pathlib import Path


def peak() -> float:
    """The most that this process has had in memory, in megabytes."""
    output = re.search(
        r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE
    )
    if output is None:
        raise RuntimeError("this kernel tells no peak")
    return int(output[1]) * 1024 / 1e6
