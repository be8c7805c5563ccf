"""Containers, where an image is Docker's and no local command stands for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.data_plane import TaskProcess
from rehearsal.ecs import container

#: Seconds that the engine may take to say whether it has an image.
_PATIENCE = 10.0
_UNKNOWN = ("no such image", "no such object")
#: What the Docker command itself goes by.
_OWN = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG")


def why_not(image: str) -> str | None:
    """Why Docker cannot run an image, and what to do; None if it can.

    Nothing is pulled: a rehearsal runs what is on this machine.
    """
    docker = shutil.which("docker")
    if docker is None:
        return "Docker is not installed"
    command = [docker, "image", "inspect", "--format", "{{.Id}}", image]
    try:
        asked = subprocess.run(  # noqa: S603 - docker, by the path that was found
            command, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"Docker does not answer: {error}"
    if asked.returncode == 0:
        return None
    said = " ".join(asked.stderr.split())
    if any(words in said.lower() for words in _UNKNOWN):
        return f"Docker has no such image: build it, or `docker pull {image}`"
    return f"no Docker engine answers: start one ({said})"


def started(image: str, definition: Mapping[str, Any]) -> TaskProcess:
    """Run an image as a task's container, with a port of this machine mapped to it.

    Its output is the task's, and it is removed when the task ends or the stage does.

    Args:
        image: its name, which ``why_not`` has nothing against.
        definition: the task definition's container: environment, command and port.
    """
    ports = definition.get("portMappings") or [{}]
    variables = {
        container.PREFIX + pair["name"]: pair["value"]
        for pair in definition.get("environment") or []
    }
    own = {name: os.environ[name] for name in _OWN if name in os.environ}
    return TaskProcess.start(
        (
            *(sys.executable, "-I", "-S", str(Path(container.__file__))),
            shutil.which("docker") or "docker",
            image,
            str(ports[0].get("containerPort", "")),
            *(definition.get("command") or []),
        ),
        env={**own, **variables},
    )
