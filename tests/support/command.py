"""The real ``hookgate`` command as a process, and what it leaves behind."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Changes of the example that leave little to do: one task, few requests, no waits.
BRIEF = {
    "brief_tasks": "desired_count: 2->desired_count: 1",
    "brief_speed": "speed: 30->speed: 60",
    "brief_rate": "rate: 50/s->rate: 10/s",
}
#: A plan with one hook, and so with one process for hooks.
BRIEF_PLAN = """
version: 1
events:
  AfterAllowTestTraffic: [{use: routing, name: green}]
"""
STOREFRONT = ROOT / "examples" / "storefront"
HOOKGATE = str(Path(sys.executable).with_name("hookgate"))


def hookgate(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(  # noqa: S603 - our own program
        [HOOKGATE, *map(str, arguments)], capture_output=True, text=True, check=False
    )


@contextmanager
def running(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Start the command; it is killed if the test leaves it running."""
    with subprocess.Popen(  # noqa: S603 - our own program
        [HOOKGATE, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


#: A control sequence of a terminal: its parameters and its final letter.
_SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")


class Terminal:
    """A command in a terminal of 40 lines and 120 columns."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self._process = process
        self._master = master
        self._output = ""
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                got = os.read(self._master, 65536)
            except OSError:  # Linux's answer where the other end is closed
                got = b""
            with self._changed:
                self._output += got.decode("utf-8", "replace")
                self._changed.notify_all()
            if not got:
                return

    def wait_for(self, pattern: str, seconds: float = 60.0) -> None:
        """Wait until the output matches a regular expression."""
        with self._changed:
            found = self._changed.wait_for(
                lambda: re.search(pattern, _SEQUENCE.sub("", self._output)), seconds
            )
            assert found, self._output

    def type(self, text: str) -> None:
        """Type text; the character 3 is Ctrl-C."""
        os.write(self._master, text.encode())

    def wait(self) -> int:
        """Wait for the command to end; returns its exit code."""
        code = self._process.wait()
        self._reader.join()
        return code

    @property
    def raw(self) -> str:
        """All that the command wrote."""
        return self._output

    def screen(self) -> list[str]:
        """The lines that are left, the scrolled ones included."""
        lines, row, column = [""], 0, 0
        for part in re.split(r"(\x1b\[[?0-9;]*[A-Za-z]|\r|\n)", self._output):
            sequence = _SEQUENCE.fullmatch(part)
            if part == "\r":
                column = 0
            elif part == "\n":
                row += 1
                lines += [""] * (row + 1 - len(lines))
            elif sequence is None:
                line = lines[row].ljust(column)
                lines[row] = line[:column] + part + line[column + len(part) :]
                column += len(part)
            elif sequence[2] == "A":
                row = max(0, row - int(sequence[1] or 1))
            elif sequence[2] == "K":
                lines[row] = ""
        return [each.rstrip() for each in lines]


@contextmanager
def in_terminal(*arguments: object) -> Iterator[Terminal]:
    """Start the command in a terminal; it is killed if the test leaves it running."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def control() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    with subprocess.Popen(  # noqa: S603 - our own program
        [HOOKGATE, *map(str, arguments)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm-256color"},
        start_new_session=True,
        preexec_fn=control,  # noqa: PLW1509 - the terminal becomes its own, for Ctrl-C
    ) as process:
        os.close(slave)
        try:
            yield Terminal(process, master)
        finally:
            process.kill()
    os.close(master)


def a_storefront(folder: Path, scenario: str = "scenario.yaml", **changes: str) -> Path:
    """Copy the example to ``folder``, whose path identifies its processes.

    ``changes`` maps a text of the scenario to another, by any name: ``a="old->new"``.
    """
    shutil.copytree(STOREFRONT, folder, dirs_exist_ok=True)
    file = folder / scenario
    text = file.read_text("utf-8")
    for change in changes.values():
        old, _, new = change.partition("->")
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, "utf-8")
    return file


def left_behind(mark: Path | str) -> list[str]:
    """The processes that work in a folder, or have a text in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or entry.name == str(os.getpid()):
            continue
        try:
            where, variables = (
                (entry / "cwd").readlink(),
                (entry / "environ").read_bytes(),
            )
        except OSError:
            continue
        if where == mark or str(mark).encode() in variables:
            found.append(entry.name)
    return found
