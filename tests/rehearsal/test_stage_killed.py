"""A stage that is killed leaves no process behind."""

import subprocess
import sys
import textwrap
import uuid
from pathlib import Path

from support.stage_setting import HERE, wait_for

ROOT = HERE.parents[1]
SCRIPT = textwrap.dedent(
    """
    import dataclasses, sys, time
    from support.stage_setting import IMAGES, SETTINGS, Setting, function
    from rehearsal.stage import Stage
    mark = {"MARK": sys.argv[1]}
    images = {
        name: dataclasses.replace(image, environment={**image.environment, **mark})
        for name, image in IMAGES.items()
    }
    hooks = [function("always_yes", environment=mark)]
    with Stage(images=images, functions=hooks, settings=SETTINGS) as stage:
        Setting(stage, desired=2).build()
        print("ready", flush=True)
        time.sleep(3600)
    """
)


def marked(mark):
    """The processes that have the mark in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                variables = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if f"MARK={mark}".encode() in variables:
                found.append(entry.name)
    return found


def test_no_process_outlives_a_killed_stage():
    """SIGKILL to the stage ends its tasks and its functions."""
    mark = uuid.uuid4().hex
    path = ":".join(str(each) for each in (ROOT, ROOT / "layer", ROOT / "tests"))
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", SCRIPT, mark],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin"},
    ) as stage:
        try:
            assert stage.stdout.readline() == b"ready\n"
            assert 3 <= len(marked(mark))
        finally:
            stage.kill()

    wait_for(lambda: not marked(mark))
