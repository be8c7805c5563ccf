"""Be a task's process in the place of its container, so that neither outlives it.

Run as a program: ``python -I -S container.py DOCKER IMAGE CONTAINER_PORT COMMAND…``. It
becomes ``docker run``, which ends as the container ends and hands signals on to it. But
a killed ``docker run`` leaves its container behind; so a guardian stays beside it, in a
session of its own, and removes the container when the other end of a pipe closes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

#: Before the names of the container's own variables: the Docker command has others.
PREFIX = "HOOKGATE_CONTAINER_"
#: How often the guardian tries: Docker may still be busy with making the container.
_TRIES = 5
_PAUSE = 0.5  # seconds


def main(docker: str, image: str, container_port: str, *command: str) -> None:
    """Become ``docker run``; the port of this machine is in ``PORT``."""
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
    os.execve(  # noqa: S606 - docker, by the path that the stage found
        docker,
        [
            *(docker, "run", "--rm", "--pull", "never", "--name", name),
            *(("--publish", published) if container_port else ()),
            *_variables(own, others),
            *(image, *command),
        ],
        {**own, **others},
    )


def _variables(own: dict[str, str], others: dict[str, str]) -> list[str]:
    """The container's variables by name, so that values are in no list of processes.

    One that the Docker command goes by too is given as it is.
    """
    said = (f"{key}={value}" if key in others else key for key, value in own.items())
    return [word for each in said for word in ("--env", each)]


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


if __name__ == "__main__":
    main(*sys.argv[1:])
