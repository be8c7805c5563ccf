"""The packages that ``sam build`` makes, once for all tests of a run."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.template import ROOT, read

SAM = ROOT / ".venv-sam" / "bin" / "sam"
MISSING = f"{SAM.relative_to(ROOT)} is not there: run `make build` once"
#: What `sam` needs to know of AWS, though it never asks it.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "SAM_CLI_TELEMETRY": "0",
    "PATH": f"{SAM.parent}:{os.environ['PATH']}",
}


@dataclass(frozen=True)
class Packages:
    """The artifacts of one build."""

    folder: Path

    @property
    def template(self) -> Path:
        """The template whose code is in the artifacts."""
        return self.folder / "template.yaml"

    @property
    def resources(self) -> dict[str, Any]:
        """The resources of that template."""
        resources: dict[str, Any] = read(self.template)["Resources"]
        return resources

    def layer(self, name: str) -> Path:
        """What Lambda lays into /opt/python."""
        return self.folder / name / "python"


def sam(
    *arguments: str | Path, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run SAM CLI in the project's folder."""
    return subprocess.run(  # noqa: S603 - our own SAM CLI
        [SAM, *arguments],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT, **(environ or {})},
        check=False,
        capture_output=True,
        text=True,
    )


def build(factory: pytest.TempPathFactory, name: str, **environ: str) -> Packages:
    """Build under ``name``, unless another test of this run has done so."""
    folder = shared(factory) / name
    with alone(folder.with_suffix(".lock")):
        packages = Packages(folder / "build")
        if not packages.template.exists():
            done = sam("build", "--build-dir", packages.folder, environ=environ)
            assert done.returncode == 0, done.stderr
    return packages


def shared(factory: pytest.TempPathFactory) -> Path:
    """The folder that all test processes of this run have in common."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Let no other test process into the block."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
