"""The example of a third party's package: built, installed and found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "hookgate-plugin"


def run(*arguments: str, cwd: Path, path: tuple[Path, ...] = ()) -> str:
    """Run Python with Hookgate and ``path`` to import from; its output."""
    paths = os.pathsep.join(map(str, (*path, ROOT / "src", ROOT)))
    done = subprocess.run(  # noqa: S603 - our own Python and arguments
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder with the package in it, as an installer would leave it."""
    made = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(EXAMPLE, made / "source")
    run("-m", "hatchling", "build", "-t", "wheel", "-d", str(made), cwd=source)
    (wheel,) = made.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(made / "installed")
    return made / "installed"


def test_plan_finds_it_by_name(installed):
    """A plan uses an installed package's validator by name, like a built-in one."""
    code = (
        "from hookgate.registry import names, resolve\n"
        "assert 'robots_txt' in names()\n"
        "found = resolve('robots_txt')\n"
        "print(found.__module__, found.__name__, found(agent='Bingbot').agent)"
    )
    output = run("-c", code, cwd=installed, path=(installed,))
    assert output == "hookgate_robots RobotsTxt Bingbot\n"


def test_needs_nothing_from_a_registry(installed):
    """No installer is sent to a registry for hookgate, where it is not."""
    (metadata,) = installed.glob("*.dist-info/METADATA")
    assert "Requires-Dist" not in metadata.read_text("utf-8")


def test_own_test_passes(installed, tmp_path):
    """The example's own ten-line test passes against the installed package."""
    tests = shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    options = ("-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-c", os.devnull)
    output = run("-m", "pytest", *options, str(tests), cwd=tests, path=(installed,))
    assert "4 passed" in output
