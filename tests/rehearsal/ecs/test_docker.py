"""Containers instead of local commands, where Docker has the image."""

import shutil
import subprocess
import urllib.request

import pytest
from support.emulator_setup import wait_for

from hookgate_rehearsal.ecs.containers import start_container, why_not

#: What `make image` makes, from Debian's packages; it has Python and no server.
IMAGE = "lambda-python:3.14"
SERVER = """
import http.server, os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["VERSION"].encode())
print("the shop is open", flush=True)
http.server.HTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
"""
NEEDS_IMAGE = pytest.mark.skipif(
    why_not(IMAGE) is not None, reason=f"{IMAGE}: {why_not(IMAGE)}"
)


@pytest.fixture(name="task")
def _task():
    """A container that says its version on port 8080 of its own."""
    definition = {
        "environment": [
            {"name": "VERSION", "value": "1.2.3"},
            {"name": "PORT", "value": "8080"},
        ],
        "command": ["python3.14", "-c", SERVER],
        "portMappings": [{"containerPort": 8080}],
    }
    task = start_container(IMAGE, definition)
    yield task
    task.stop(0)


def containers():
    """The names of the containers that an emulator has made."""
    command = [shutil.which("docker"), "ps", "--all", "--format", "{{.Names}}"]
    listed = subprocess.run(  # noqa: S603 - docker, by its path
        [*command, "--filter", "name=hookgate-"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(listed.stdout.split())


def answer(task):
    try:
        url = f"http://127.0.0.1:{task.port}/"
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.read().decode()
    except OSError:
        return None


@NEEDS_IMAGE
def test_container_has_the_definitions_environment_and_port(task):
    """It answers at the task's port with the definition's variable, and is logged."""
    assert "1.2.3" == wait_for(lambda: answer(task))
    assert "the shop is open" in task.output


@NEEDS_IMAGE
@pytest.mark.parametrize("grace", [0, 30], ids=["killed", "asked to end"])
def test_container_is_removed_at_the_end(task, grace):
    """Neither a task that is stopped nor one that is killed leaves its container."""
    wait_for(lambda: answer(task))
    (own,) = [name for name in containers() if name.endswith(f"-{task.port}")]

    task.stop(grace)

    wait_for(lambda: own not in containers())


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        pytest.param({}, "shop:1", id="image"),
        pytest.param({"command": ["a", "b"]}, "shop:1 a b", id="command"),
        pytest.param(
            {"entryPoint": ["sh", "-c"], "command": ["a b"]},
            "--entrypoint sh shop:1 -c a b",
            id="entry point",
        ),
    ],
)
def test_container_has_the_definitions_command(
    monkeypatch, tmp_path, definition, words
):
    """Entry point and command are passed to Docker, which combines them."""
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\necho "$@"\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    task = start_container("shop:1", definition)

    wait_for(lambda: task.exit_code is not None)
    assert task.output.splitlines()[0].endswith(f"-{task.port} {words}")


def test_reason_without_docker(monkeypatch, tmp_path):
    """Without Docker the reason is one line."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert "Docker is not installed" == why_not("shop:1")


@NEEDS_IMAGE
def test_reason_without_the_image():
    """An engine that answers and has no such image says how to get it."""
    assert "Docker has no such image: build it, or `docker pull shop:none`" == why_not(
        "shop:none"
    )


@pytest.mark.skipif(shutil.which("docker") is None, reason="docker is not installed")
def test_reason_without_an_engine(monkeypatch):
    """A client without an engine says so."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")

    assert why_not("shop:1").startswith("no Docker engine answers: start one (")
