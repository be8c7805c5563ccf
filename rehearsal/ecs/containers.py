"""The commands and Docker containers that run for the images of tasks.

This file is also a program, the process of a task that runs in a container:
``python -I -S containers.py DOCKER IMAGE CONTAINER_PORT ENTRYPOINT COMMAND…``; the port
and the entry point may be empty. It becomes ``docker run``, which ends with the
container and forwards signals to it. A killed ``docker run`` leaves its container
behind; so a second process, in its own session, removes the container when the other
end of a pipe closes. The program has no packages.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hookgate_rehearsal.data_plane.processes import TaskProcess


#: Before the names of the container's own variables: the Docker command has others.
PREFIX = "HOOKGATE_CONTAINER_"

#: How often the guardian tries: Docker may still be busy with making the container.
_TRIES = 5

_PAUSE = 0.5  # seconds


def main(
    docker: str, image: str, container_port: str, entrypoint: str, *command: str
) -> None:
    """Become ``docker run``; ``PORT`` is the port on this machine."""
    host, port = os.environ["HOST"], os.environ["PORT"]
    name = f"hookgate-{os.getpid()}-{port}"
    end = _with_guardian(docker, name)
    os.set_inheritable(end, True)  # it closes when `docker run` has ended
    own = {
        key.removeprefix(PREFIX): value
        for key, value in os.environ.items()
        if key.startswith(PREFIX)
    }
    others = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    published = f"{host}:{port}:{container_port}"
    os.execve(  # noqa: S606 - docker, by the path that was found
        docker,
        [
            *(docker, "run", "--rm", "--pull", "never", "--name", name),
            *(("--publish", published) if container_port else ()),
            *_variables(own, others),
            *(("--entrypoint", entrypoint) if entrypoint else ()),
            *(image, *command),
        ],
        {**own, **others},
    )


def _variables(own: dict[str, str], others: dict[str, str]) -> list[str]:
    """Pass variables by name, so that the process list does not show their values.

    A variable that the Docker command also uses is passed with its value.
    """
    words = (f"{key}={value}" if key in others else key for key, value in own.items())
    return [word for each in words for word in ("--env", each)]


def _with_guardian(docker: str, name: str) -> int:
    """Start the guardian; returns the end of the pipe that it watches."""
    watched, end = os.pipe()
    if os.fork():
        os.close(watched)
        return end
    os.setsid()
    os.close(end)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    while os.read(watched, 1):
        pass
    for _ in range(_TRIES):
        subprocess.run([docker, "rm", "--force", "--volumes", name], check=False)  # noqa: S603 - as above
        time.sleep(_PAUSE)
    os._exit(0)


_TIMEOUT = 10.0  # seconds for the engine to look up an image

_UNKNOWN = ("no such image", "no such object")

#: Variables that the Docker command itself uses.
_OWN = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG")


def why_not(image: str) -> str | None:
    """Explain why Docker cannot run an image, and what to do; None if it can.

    Nothing is pulled: a rehearsal runs the images on this machine.
    """
    docker = shutil.which("docker")
    if docker is None:
        return "Docker is not installed"
    command = [docker, "image", "inspect", "--format", "{{.Id}}", image]
    try:
        asked = subprocess.run(  # noqa: S603 - docker, by the path that was found
            command, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        return f"Docker does not answer: {failure}"
    if asked.returncode == 0:
        return None
    error = " ".join(asked.stderr.split())
    if any(words in error.lower() for words in _UNKNOWN):
        return f"Docker has no such image: build it, or `docker pull {image}`"
    return f"no Docker engine answers: start one ({error})"


def start_container(image: str, definition: Mapping[str, Any]) -> TaskProcess:
    """Run an image as a task's container, with a port of this machine mapped to it.

    The container is removed when the task or the emulator ends.

    Args:
        image: The image's name, which ``why_not`` accepts.
        definition: The task definition's container: environment, command and port.
    """
    from hookgate_rehearsal.data_plane.processes import (  # noqa: PLC0415 - the program has no packages
        TaskProcess,
    )

    ports = definition.get("portMappings") or [{}]
    entrypoint, *arguments = definition.get("entryPoint") or [""]
    variables = {PREFIX + k: v for k, v in variables_of(definition).items()}
    own = {name: os.environ[name] for name in _OWN if name in os.environ}
    return TaskProcess(
        (
            *(sys.executable, "-I", "-S", str(Path(__file__))),
            shutil.which("docker") or "docker",
            image,
            str(ports[0].get("containerPort", "")),
            *(entrypoint, *arguments, *(definition.get("command") or [])),
        ),
        env={**own, **variables},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """The local command that an image name stands for.

    Attributes:
        command: The program and its arguments; it listens on ``PORT``. With an
            ``entrypoint``, its arguments.
        entrypoint: The program and its first arguments, if a container definition's
            ``command`` may replace the others.
        environment: Variables that the image brings; the task definition's win.
        directory: Where to start it.
    """

    command: tuple[str, ...]
    entrypoint: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None

    def words(self, definition: Mapping[str, Any]) -> tuple[str, ...]:
        """The program and its arguments for a container definition.

        As in Docker, ``command`` replaces the arguments of the image's entry point. An
        ``entryPoint``, and a ``command`` for an image without one, name programs of the
        container: the image's local command stands for them.
        """
        command = definition.get("command")
        if command and self.entrypoint and not definition.get("entryPoint"):
            return (*self.entrypoint, *command)
        return (*self.entrypoint, *self.command)


def local_command(words: Iterable[str]) -> tuple[str, ...]:
    """Resolve a command as a user writes it; ``python`` is this Python."""
    return tuple(sys.executable if word == "python" else word for word in words)


#: Variables with which the loader, a shell or an interpreter runs other programs.
_UNSAFE = re.compile(
    r"PATH|IFS|ENV|BASH_\w+|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|ZDOTDIR|LD_\w+|"
    r"DYLD_\w+|GCONV_PATH|GLIBC_TUNABLES|MALLOC_\w+|PYTHON\w*|NODE_\w+|NPM_\w+|PERL\w*|"
    r"RUBY\w*|GEM_\w+|BUNDLE_\w+|PHPRC|PHP_INI_SCAN_DIR|LUA_\w+|R_\w+|JULIA_\w+|ERL_\w+|"
    r"CLASSPATH|_?JAVA_\w+|JDK_JAVA_OPTIONS|DOTNET_\w+|CORECLR_\w+|COMPLUS_\w+|"
    r"OPENSSL_\w+|GIT_\w+|BROWSER|EDITOR|VISUAL|PAGER|SHELL|HOME|XDG_\w+",
    re.IGNORECASE,
)
#: Those of them that only change how a program behaves.
_SAFE = {
    *("NODE_ENV", "JAVA_HOME", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"),
    *("PYTHONHASHSEED", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONFAULTHANDLER"),
}


def check_variables(names: Iterable[str]) -> None:
    """Refuse variables of a task definition that could run other programs here.

    A task definition is a client's. In a container it can do no harm; a local command
    has the permissions of the user. A variable that an image of the scenario brings is
    not checked: the scenario is the user's own.

    Raises:
        ValueError: A variable is refused.
    """
    unsafe = [n for n in names if _UNSAFE.fullmatch(n) and n not in _SAFE]
    if unsafe:
        raise ValueError(
            f"a task definition must not set {', '.join(sorted(unsafe))} for a local "
            "command, since it can run other programs on this machine; set it in "
            "the scenario's image, or run the image in Docker"
        )


def variables_of(definition: Mapping[str, Any]) -> dict[str, str]:
    """The variables of a container definition; the last one of a name wins."""
    pairs = definition.get("environment") or []
    return {pair["name"]: pair.get("value", "") for pair in pairs if pair.get("name")}


Images = Mapping[str, Image]


class CannotPullContainerError(LookupError):
    """No local command stands for the image."""


def find_image(images: Images, name: str) -> Image:
    """The command for an image.

    A name without tag or digest stands for every version of the image that has no
    command of its own.

    Raises:
        CannotPullContainerError: The scenario maps the image to none.
    """
    for each in (name, repository(name)):
        if each in images:
            return images[each]
    known = ", ".join(sorted(images)) or "none"
    message = (
        f"CannotPullContainerError: no local command stands for the image {name!r}; "
        f"the emulator knows {known}"
    )
    raise CannotPullContainerError(message)


def repository(name: str) -> str:
    """An image's name without its tag and its digest; a registry's port stays."""
    place, slash, last = name.partition("@")[0].rpartition("/")
    return place + slash + last.partition(":")[0]


if __name__ == "__main__":
    main(*sys.argv[1:])
