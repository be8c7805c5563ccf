"""The watchdog process reports Failed, whatever the process of the hook does."""

import json
import os
import queue
import subprocess
import sys
from pathlib import Path

import pytest
from support.codedeploy_edge import codedeploy_edge

from hookgate.context import HookEvent
from hookgate.model import LifecycleEvent
from hookgate.watchdog import Watchdog

HOOK = HookEvent.parse(
    {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "hook-1"}
)
ROOT = Path(__file__).parents[2]
WATCHED = """
import os, re, sys, time
from datetime import UTC, datetime
from hookgate.context import DeploymentInfo
from hookgate.context import HookEvent
from hookgate.model import LifecycleEvent
from hookgate.watchdog import Watchdog

payload = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "hook-1"}
hook = HookEvent.parse(payload)
watchdog = Watchdog(print)
with watchdog.watch(hook, LifecycleEvent.AFTER_INSTALL, float(sys.argv[1])) as watch:
    watch.note("running step regex")
    watch.set_deployment(DeploymentInfo(
        id="d-1", application="shop", group="shop-blue-green", configuration="",
        cluster="shop", service="storefront", region="", account="",
        event_started_at=datetime.now(UTC),
    ))
    {body}
watchdog.close()
"""
#: A regular expression that needs far longer than any test, with the lock held.
HANGS_IN_C = "re.match(r'(a+)+$', 'a' * 60 + 'b')"


@pytest.fixture(name="edge")
def _edge():
    with codedeploy_edge() as edge:
        yield edge


@pytest.fixture(name="start")
def _start(edge):
    """Starts watched processes and kills them after the test."""
    started = []

    def start(body, seconds="60"):
        environ = {**os.environ, **edge.environ, "PYTHONPATH": str(ROOT / "src")}
        process = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-c", WATCHED.replace("{body}", body), seconds],
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with process:
            process.kill()


def test_hang_in_c(edge, start):
    """A hang that holds the interpreter lock is reported Failed."""
    process = start(HANGS_IN_C, seconds="0.2")
    call = edge.calls.get(timeout=60)
    process.kill()
    output, _ = process.communicate()

    assert ("d-1", "hook-1", "Failed") == (
        call["deploymentId"],
        call["lifecycleEventHookExecutionId"],
        call["status"],
    )
    assert "ran out of time while it was running step regex" in output


def test_metrics_of_watchdog(edge, start):
    """VerdictFailed is published when CodeDeploy has accepted the report."""
    process = start(HANGS_IN_C, seconds="0.2")
    edge.calls.get(timeout=60)
    process.kill()
    output, _ = process.communicate()
    lines = [json.loads(line) for line in output.splitlines()]

    assert [[1.0]] == [
        each["VerdictFailed"] for each in lines if "VerdictFailed" in each
    ]


@pytest.mark.parametrize(
    ("status", "values"),
    [
        pytest.param("Succeeded", [], id="another-status"),
        pytest.param("Failed", [[1.0]], id="the-same-status"),
    ],
)
def test_accepted_before(edge, start, status, values):
    """The metric never contradicts a report that CodeDeploy accepted before.

    So it is when the hook hangs after its report, in a `__del__` or while the response
    arrives byte by byte.
    """
    edge.status = status
    process = start(f"watch.due(0.2); {HANGS_IN_C}")
    edge.calls.get(timeout=60)
    process.kill()
    output, _ = process.communicate()
    lines = [json.loads(line) for line in output.splitlines()]

    assert values == [
        each["VerdictFailed"] for each in lines if "VerdictFailed" in each
    ]
    assert (status == "Failed") == any("verdict" in each for each in lines)


def test_not_confirmed(edge, start):
    """A report that CodeDeploy does not confirm publishes nothing."""
    edge.broken = "garbage"
    process = start("os._exit(9)")
    output, _ = process.communicate()

    assert "Failed" == edge.calls.get(timeout=60)["status"]
    assert "VerdictFailed" not in output


def test_earlier_than_thought(edge, start):
    """A time limit that is reduced later applies."""
    start(f"watch.due(0.2); {HANGS_IN_C}")

    assert "Failed" == edge.calls.get(timeout=60)["status"]


def test_death(edge, start):
    """A process that dies is reported Failed at once."""
    process = start("os._exit(9)")
    call = edge.calls.get(timeout=60)
    output, _ = process.communicate()

    assert "Failed" == call["status"]
    assert "died while it was running step regex" in output


def test_no_report(edge, start):
    """The watchdog process does not report an invocation that ends in time."""
    process = start("pass", seconds="0.2")
    process.communicate()

    assert 0 == process.returncode
    with pytest.raises(queue.Empty):
        edge.calls.get_nowait()


def test_raised(edge, start):
    """An invocation that raises is left to Lambda's retries."""
    process = start("raise SystemExit(3)")
    process.communicate()

    assert 3 == process.returncode
    with pytest.raises(queue.Empty):
        edge.calls.get_nowait()


#: What a validator may do to the process that it runs in, from a thread of its own.
DAMAGES = {
    "standard-output": "os.close(1)",
    "both-streams": "os.close(1); os.close(2)",
    "another-file-as-output": "os.dup2(os.open(os.devnull, os.O_WRONLY), 1)",
    "every-descriptor": "os.closerange(0, 256)",
    "interrupted": "os.kill(os.getpid(), 2)",
    "interrupted-through-python": "__import__('_thread').interrupt_main()",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage(edge, start, tmp_path, damage):
    """What a validator does to the process is noticed; its output goes on."""
    body = f"""
    import threading
    thread = threading.Thread(target=lambda: exec({damage!r}))
    thread.start()
    thread.join()
    damage = watch.damage()
    with open({str(tmp_path / "found")!r}, "w") as found:
        found.write(damage)
    print("a metric", flush=True)
"""
    process = start(body)
    output, _ = process.communicate()

    assert "no finding is trusted" in (tmp_path / "found").read_text()
    assert damage.startswith("os.closerange") or "a metric" in output


def test_every_descriptor_closed(edge, start):
    """Where not even the pipe is left, the watchdog process reports and publishes."""
    process = start("os.closerange(0, 256); watch.damage(); watch.note('judging')")
    output, _ = process.communicate()

    assert "Failed" == edge.calls.get(timeout=60)["status"]
    assert '"VerdictFailed":[1.0]' in output


def test_no_damage(edge, start):
    """A process without damage is not reported, and can be interrupted afterwards."""
    process = start(
        "assert watch.damage() == ''; import signal; "
        "assert signal.getsignal(2) is not signal.default_int_handler"
    )
    process.communicate()

    assert 0 == process.returncode


def test_cannot_start():
    """An invocation continues if the watchdog process cannot be started."""
    lost = []
    watchdog = Watchdog(lost.append, python="/nowhere/python")
    with watchdog.watch(HOOK, LifecycleEvent.AFTER_INSTALL, 1) as watch:
        watch.note("judging")
        watch.reporting()

    assert ["the watchdog process did not start"] == [
        each.partition(":")[0] for each in lost
    ]


def test_lost(edge):
    """The end of the watchdog process is reported once; the invocation continues."""
    lost = []
    watchdog = Watchdog(lost.append)
    with watchdog.watch(HOOK, LifecycleEvent.AFTER_INSTALL, 60) as watch:
        process = watchdog._process
        process.kill()
        process.wait()
        for _ in range(3):
            watch.note("judging")

    assert ["the watchdog process is lost"] == [each.partition(":")[0] for each in lost]


def test_next_invocation_is_watched_again():
    """The invocation after a loss has a new watchdog process."""
    watchdog = Watchdog(print)
    for _ in range(2):
        with watchdog.watch(HOOK, LifecycleEvent.AFTER_INSTALL, 60):
            assert watchdog._process.poll() is None
            watchdog._process.kill()
            watchdog._process.wait()
    watchdog.close()
