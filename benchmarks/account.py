"""An AWS account for the handlers that are measured, and the way there."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAMS = Path(__file__).parent / "programs"
#: The handler that ships, the least that a handler can be, and the least that the
#: design allows.
HOOK = "hooks.after_allow_test_traffic"
BARE = "benchmarks.programs.bare_handler"
MINIMUM = "benchmarks.programs.minimum_handler"

PLAN = """\
version: 1
events:
  AfterAllowTestTraffic:
    - use: http
      with: {path: /, status: 200}
"""


#: The same step, which also expects something of the answer.
EXPECTING = PLAN.replace("200}", "200, expect: [{size: {below: 1MB}}]}")


@contextmanager
def account(plan: str = PLAN) -> Iterator[Mapping[str, str]]:
    """An account at AfterAllowTestTraffic; yields the environment of a handler in it.

    The plan is a file, as the hooks ship it.
    """
    with tempfile.TemporaryDirectory() as folder, _edge() as port:
        plans = Path(folder, "hooks", "plans")
        plans.mkdir(parents=True)
        (plans / "default.yaml").write_text(plan)
        yield {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": _path(ROOT, ROOT / "src"),
            "LAMBDA_TASK_ROOT": folder,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "PYDANTIC_DISABLE_PLUGINS": "__all__",  # as in template.yaml
        }


@contextmanager
def _edge() -> Iterator[int]:
    environ = {**os.environ, "PYTHONPATH": _path(ROOT / "src", ROOT / "tests")}
    with subprocess.Popen(
        [sys.executable, str(PROGRAMS / "edge.py")],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None  # noqa: S101 - asked for above
        assert process.stdout is not None  # noqa: S101 - as above
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def _path(*folders: Path) -> str:
    return os.pathsep.join(map(str, folders))
