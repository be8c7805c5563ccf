"""Programs of the user: their processes end with the check."""

from __future__ import annotations

import os
import sys
import time

import pytest
from support.coded import raises

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure
from hookgate_validators.command import run_child

# A parent that starts a child which waits for ever, and says its id.
FAMILY = """
import subprocess, sys, signal
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
open(sys.argv[1], "w").write(str(child.pid))
if len(sys.argv) > 2:
    signal.pause()
"""


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and is not reaped does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - procfs
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("waits", [(), ("and waits",)])
def test_whole_group_is_killed(tmp_path, waits):
    """What the program started ends with it, whether it ended by itself or not."""
    file = tmp_path / "pid"
    command = [sys.executable, "-c", FAMILY, str(file), *waits]
    with raises(CannotMeasure, Code.COMMAND_FAILED):
        run_child(command, b"", deadline=Deadline.after(2), most=100)
    pid = int(file.read_text())
    until = time.monotonic() + 60
    while is_alive(pid) and time.monotonic() < until:
        os.sched_yield()
    assert not is_alive(pid)


def test_program_that_does_not_listen():
    """A document that is not read is no trouble, however large."""
    written = run_child(
        [sys.executable, "-c", "print('done')"],
        b"x" * 1_000_000,
        deadline=Deadline.after(60),
        most=100,
    )
    assert written == b"done\n"
