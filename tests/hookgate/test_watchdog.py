"""The last word is spoken by a second process, whatever the first one does."""

import json
import os
import queue
import subprocess
import sys
from pathlib import Path

import pytest
from support.codedeploy_edge import codedeploy_edge

ROOT = Path(__file__).parents[2]
WATCHED = """
import os, re, sys, time
from hookgate.event import HookEvent
from hookgate.model import LifecycleEvent
from hookgate.watchdog import LastWord

payload = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "hook-1"}
hook = HookEvent.parse(payload)
last_word = LastWord()
with last_word.watch(hook, LifecycleEvent.AFTER_INSTALL, float(sys.argv[1])) as watch:
    watch.note("running step regex")
    {body}
last_word.close()
"""
#: A regular expression that needs far longer than any test, with the lock held.
HANGS_IN_C = "re.match(r'(a+)+$', 'a' * 60 + 'b')"


@pytest.fixture(name="edge")
def _edge():
    with codedeploy_edge() as edge:
        yield edge


def start(edge, body, seconds="60"):
    """Run a process under watch."""
    environ = {**os.environ, **edge.environ, "PYTHONPATH": str(ROOT / "layer")}
    command = [sys.executable, "-c", WATCHED.replace("{body}", body), seconds]
    return subprocess.Popen(  # noqa: S603 - our own script
        command, env=environ, stdout=subprocess.PIPE, text=True
    )


def test_hang_in_c(edge):
    """A hang that holds the interpreter's lock is reported Failed by the other."""
    process = start(edge, HANGS_IN_C, seconds="0.2")
    call = edge.calls.get(timeout=60)
    process.kill()
    told, _ = process.communicate()

    assert ("d-1", "hook-1", "Failed") == (
        call["deploymentId"],
        call["lifecycleEventHookExecutionId"],
        call["status"],
    )
    assert "ran out of time while it was running step regex" in told


def test_metrics_of_last_word(edge):
    """The last word publishes VerdictFailed before it reports."""
    process = start(edge, HANGS_IN_C, seconds="0.2")
    edge.calls.get(timeout=60)
    process.kill()
    told, _ = process.communicate()
    lines = [json.loads(line) for line in told.splitlines()]

    assert [[1.0]] == [
        each["VerdictFailed"] for each in lines if "VerdictFailed" in each
    ]


def test_death(edge):
    """A process that dies is reported Failed at once."""
    process = start(edge, "os._exit(9)")
    call = edge.calls.get(timeout=60)
    told, _ = process.communicate()

    assert "Failed" == call["status"]
    assert "died while it was running step regex" in told


def test_nothing_to_say(edge):
    """A pass that ends in time leaves the last word unspoken."""
    process = start(edge, "pass", seconds="0.2")
    process.communicate()

    assert 0 == process.returncode
    with pytest.raises(queue.Empty):
        edge.calls.get_nowait()


def test_raised(edge):
    """A pass that raises is left to Lambda's retries."""
    process = start(edge, "raise SystemExit(3)")
    process.communicate()

    assert 3 == process.returncode
    with pytest.raises(queue.Empty):
        edge.calls.get_nowait()
