"""The AWS CLI, as people drive an emulator with it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hookgate_rehearsal.emulator import Emulator
from hookgate_rehearsal.endpoint.access import SECRET_ACCESS_KEY

ROOT = Path(__file__).resolve().parents[2]
AWS = ROOT / ".venv-aws" / "bin" / "aws"
MISSING = f"the AWS CLI is not at {AWS}: run `make test`"
OURS = ("AWS_", "PYTHON", "COV_")


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without its AWS and Python settings, and more."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    path = f"{AWS.parent}:{kept.get('PATH', '')}"
    return {**kept, "PATH": path, "AWS_PAGER": "", **variables}


def reaching(emulator: Emulator) -> dict[str, str]:
    """The environment that connects the CLI to an emulator, and nothing else."""
    return environment(
        AWS_ENDPOINT_URL=emulator.endpoint_url,
        AWS_DEFAULT_REGION=emulator.settings.region,
        AWS_ACCESS_KEY_ID=emulator.settings.key.id,
        AWS_SECRET_ACCESS_KEY=SECRET_ACCESS_KEY,
    )


def exported(lines: list[str]) -> dict[str, str]:
    """The variables that lines of a shell export."""
    exports = [each for each in lines if each.startswith("export ")]
    words = [word for each in exports for word in shlex.split(each)[1:]]
    return dict(word.split("=", 1) for word in words)


class Cli:
    """Runs ``aws`` against an emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self._environment: Mapping[str, str] = reaching(emulator)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(  # noqa: S603 - our own copy of the CLI
            [AWS, *words],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run a command to its end: exit code, standard output and error."""
        with self.start(*words) as process:
            out, err = process.communicate(timeout=100)
        return process.returncode, out, err

    def __call__(self, *words: str) -> Any:
        """Run a command that must succeed; its answer."""
        code, out, err = self.run(*words)
        assert 0 == code, err
        return json.loads(out) if out.strip() else None
