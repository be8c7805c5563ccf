"""Run a command and print the CPU seconds of it and of all that it started.

This process adopts what the command leaves behind, which waits for it (prctl(2),
PR_SET_CHILD_SUBREAPER).
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys

_SET_CHILD_SUBREAPER = 36


def cpu_seconds(command: list[str]) -> float:
    """The user and system time of a command and its descendants.

    Raises:
        CalledProcessError: the command failed.
    """
    if ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError("this kernel has no PR_SET_CHILD_SUBREAPER")
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    try:
        while True:
            os.wait()
    except ChildProcessError:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(cpu_seconds(sys.argv[1:]))
