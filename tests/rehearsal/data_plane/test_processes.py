"""Tasks as processes."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from support.data_plane import TIMEOUT, eventually

from hookgate_rehearsal.data_plane.processes import OUTPUT_KEPT, TaskProcess

ROOT = Path(__file__).parents[3]


@pytest.fixture(name="start")
def _start():
    """Start Python programs, none of which outlives its test."""
    started = []

    def start(program, **options):
        command = [sys.executable, "-c", textwrap.dedent(program)]
        started.append(TaskProcess(command, **options))
        return started[-1]

    yield start
    for task in started:
        task.stop(0)


def test_port(start):
    """A task gets its port and its host as variables."""
    task = start("import os; print(os.environ['HOST'], os.environ['PORT'])")
    task.wait(TIMEOUT)

    assert f"127.0.0.1 {task.port}" == task.output.strip()


def test_environment(start, tmp_path):
    """A task has the environment and the directory it was given."""
    task = start(
        "import os; print(os.environ['SHOP'], 'HOME' in os.environ, os.getcwd())",
        env={"SHOP": "tea"},
        cwd=tmp_path,
    )
    task.wait(TIMEOUT)

    assert f"tea False {tmp_path.resolve()}" == task.output.strip()


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        pytest.param("", 0, id="well"),
        pytest.param("raise SystemExit(3)", 3, id="exit code"),
        pytest.param("import os; os.kill(os.getpid(), 9)", -9, id="killed"),
        pytest.param("import os; os.kill(os.getpid(), 15)", -15, id="terminated"),
        pytest.param("import os; os.abort()", -6, id="aborted"),
    ],
)
def test_exit_code(start, program, expected):
    """A task's exit code is its own, as is a signal that killed it."""
    assert expected == start(program).wait(TIMEOUT)


def test_reason_of_a_crash(start):
    """Why a task crashed can be read."""
    task = start("raise RuntimeError('no tea left')")
    task.wait(TIMEOUT)

    assert "RuntimeError: no tea left" in task.output


def test_much_output(start):
    """Of much output the end is kept."""
    task = start("print('x' * 10_000_000); print('the end')")
    task.wait(TIMEOUT)

    assert (OUTPUT_KEPT, True) == (len(task.output), task.output.endswith("end\n"))


@pytest.mark.parametrize(
    ("command", "code", "why"),
    [
        pytest.param(["/no/such"], 127, "there is no such program", id="missing"),
        pytest.param(["/etc/passwd"], 126, "Permission denied", id="no program"),
    ],
)
def test_cannot_run(command, code, why):
    """A program that cannot be run ends as a container's would, and says why."""
    task = TaskProcess(command)

    assert code == task.wait(TIMEOUT)
    assert f"cannot run {command[0]}: {why}" in task.output


def test_no_command():
    """An empty command is refused."""
    with pytest.raises(ValueError, match="command is empty"):
        TaskProcess([])


def test_stop(start):
    """A task is asked to end first."""
    task = start(
        """
        import signal, sys
        def leave(*_):
            print("bye"); sys.exit(5)
        signal.signal(signal.SIGTERM, leave)
        print("ready", flush=True)
        signal.pause()
        """
    )
    eventually(lambda: "ready\n" in task.output)

    assert (5, "ready\nbye\n") == (task.stop(TIMEOUT), task.output)


def test_stubborn(start):
    """A task that does not end when asked is killed, with its children."""
    task = start(
        """
        import signal, subprocess, sys
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(999)"])
        print(child.pid, flush=True)
        signal.pause()
        """
    )
    eventually(lambda: task.output.endswith("\n"))

    assert -signal.SIGKILL == task.stop(0.1)
    eventually(lambda: not alive(int(task.output)), "the child's end")


def test_children_end_with_the_task(start):
    """What a task leaves behind when it ends is killed."""
    task = start(
        """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(999)"])
        print(child.pid, flush=True)
        """
    )

    assert 0 == task.wait(TIMEOUT)
    eventually(lambda: not alive(int(task.output)), "the child's end")


def test_stop_twice(start):
    """A task that has ended may be stopped again."""
    task = start("raise SystemExit(3)")
    task.wait(TIMEOUT)

    assert [3, 3] == [task.stop(0), task.stop(0)]


def test_no_thread_left(start):
    """A task that has ended leaves no thread."""
    before = threading.active_count()
    task = start("import time; time.sleep(999)")
    task.stop(0)

    assert before == threading.active_count()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_orphan(how):
    """However the emulator ends, its tasks and their children end with it."""
    emulator = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", textwrap.dedent(EMULATOR)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with emulator, emulator.stdout as expected_text:
        pids = [int(pid) for pid in expected_text.readline().split()]
        running = [alive(pid) for pid in pids]
        emulator.send_signal(how)

    assert [True, True, True] == running
    eventually(lambda: not any(map(alive, pids)), "the end of every process")


EMULATOR = """
    import sys, time
    from hookgate_rehearsal.data_plane.processes import TaskProcess
    task = TaskProcess([sys.executable, "-c", '''
    import os, subprocess, sys, time
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(999)"])
    print(os.getpid(), child.pid, flush=True)
    time.sleep(999)
    '''.replace(chr(10) + "    ", chr(10))])
    while not task.output.endswith(chr(10)):
        time.sleep(0.01)
    print(task.pid, task.output, flush=True)
    time.sleep(999)
"""


def alive(pid):
    """Whether a process runs; one that only waits to be noticed does not."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return "State:\tZ" not in status
