"""Run a task so that it and its children end with the emulator.

Run as a program: ``python -I -S supervisor.py COMMAND…``. It starts the command in its
own process group, which the emulator made, and waits. Its standard input is a pipe
that the emulator keeps open and never writes to: when the emulator ends for any reason,
SIGKILL included, the kernel closes the pipe, and this program kills the whole group.

It uses a pipe and not Linux's PR_SET_PDEATHSIG, which is bound to the *thread* that
started the process, does not reach the task's own children, and is not on macOS. A
process that leaves the group (a daemon with a session of its own) is not killed.

It imports little of the standard library only, because it starts with each task.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys


def main(command: list[str]) -> int:
    """Run a command, and end with its exit code or signal.

    Returns:
        The command's exit code; 127 if it is not found, 126 if it cannot be run.
    """
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # The group's signals are for the task; a handler is not inherited, unlike
        # SIG_IGN.
        signal.signal(signum, _ignore)
    child = os.fork()
    if child == 0:
        return _exec(command)
    _thread.start_new_thread(_watch, ())
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    return code


def _ignore(signum: int, frame: object) -> None:
    del signum, frame


def _exec(command: list[str]) -> int:
    """Replace this process with the command."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    try:
        os.execvp(command[0], command)  # noqa: S606 - it is what the scenario names
    except FileNotFoundError:
        code, why = 127, "there is no such program"
    except OSError as error:
        code, why = 126, str(error.strerror)
    sys.stderr.write(f"cannot run {command[0]}: {why}\n")
    sys.stderr.flush()
    os._exit(code)


def _watch() -> None:
    """Wait for the emulator's end, then kill the group, this process included."""
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
