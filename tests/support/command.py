"""The real ``hookgate`` command as a process, and what it leaves behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Changes of the example that leave little to do: one task, few customers, no waits.
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


def a_storefront(folder: Path, scenario: str = "scenario.yaml", **changes: str) -> Path:
    """A copy of the example in ``folder``, by which its processes can be told.

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
