"""The shipped fallback report, which needs no layer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.codedeploy_edge import EVENTS, codedeploy_edge

from hookgate.codes import Code
from hookgate.context import DeploymentInfo
from hookgate.model import LifecycleEvent, Reason, Verdict
from hookgate.reporting import EmfMetrics, verdict_record

ROOT = Path(__file__).parents[2]
RECORD = json.loads((ROOT / "events" / "fallback_report.json").read_text())
INVOKE = """
import json, sys
from hooks.fallback_report import handler
print(json.dumps({"answer": handler(json.loads(sys.argv[1]), None)}))
"""


@pytest.fixture(name="edge")
def _edge():
    with codedeploy_edge() as edge:
        yield edge


@pytest.fixture(name="invoke")
def _invoke(edge, tmp_path):
    """Runs the handler in a process of its own; returns its answer and its lines."""

    def invoke(record, path=(ROOT,)):
        done = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-W", "error", "-c", INVOKE, json.dumps(record)],
            cwd=tmp_path,
            env={**edge.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == "", done.stderr
        *lines, answer = map(json.loads, done.stdout.splitlines())
        return answer["answer"], lines

    return invoke


def failures(lines):
    """The values of VerdictFailed in the metrics."""
    return [each["VerdictFailed"] for each in lines if "_aws" in each]


@pytest.mark.parametrize("module", ["hookgate", "pydantic", "aws_lambda_powertools"])
def test_broken_layer(edge, invoke, tmp_path, module):
    """A layer that cannot be loaded keeps neither the report nor the metric."""
    (tmp_path / f"{module}.py").write_text("raise OSError('wrong ELF class')")
    answer, lines = invoke(RECORD, (tmp_path, ROOT))

    assert ("Failed", "Failed") == (edge.calls.get_nowait()["status"], answer["status"])
    assert [[1.0]] == failures(lines)


def test_reported(edge, invoke):
    """The ids of the hook event are reported as Failed, with what is known of it."""
    answer, _ = invoke(RECORD)
    call = edge.calls.get_nowait()

    assert RECORD["requestPayload"]["DeploymentId"] == call["deploymentId"]
    assert ("AfterAllowTestTraffic", True) == (answer["event"], answer["accepted"])
    assert "Task timed out" in answer["outcomes"][0]["reason"]


def test_succeeded_before(edge, invoke):
    """Where CodeDeploy accepted Succeeded, nothing says Failed."""
    edge.status = "Succeeded"
    answer, lines = invoke(RECORD)

    assert not answer["accepted"]
    assert [] == failures(lines)
    assert [False] == ["verdict" in each for each in lines]


def test_failed_before(edge, invoke):
    """Where CodeDeploy accepted Failed, such as an attempt of ours, the metric says so.

    The response of that attempt may have been lost.
    """
    edge.status = "Failed"
    _, lines = invoke(RECORD)

    assert [[1.0]] == failures(lines)


def test_ended_in_an_unknown_way(edge, invoke):
    """Where it is not known what CodeDeploy accepted, nothing says Failed."""
    edge.status, edge.deployment = "Succeeded", {}
    _, lines = invoke(RECORD)

    assert [] == failures(lines)
    assert "KeyError: 'applicationName'" == lines[0]["message"]


def test_deployment_cannot_be_read(edge, invoke):
    """Without the deployment the metrics have no group's name."""
    edge.deployment = {}
    _, lines = invoke(RECORD)

    assert "Failed" == edge.calls.get_nowait()["status"]
    assert ["unknown"] == [each["Application"] for each in lines if "_aws" in each]


def test_not_confirmed(edge, tmp_path):
    """A report that CodeDeploy does not confirm raises, and nothing is published."""
    edge.broken = "lost"
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", INVOKE, json.dumps(RECORD)],
        cwd=tmp_path,
        env={**edge.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (1, "") == (done.returncode, done.stdout)


def test_no_hook_event(edge, tmp_path):
    """A record without a hook event raises, so that the alarm on errors tells."""
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", INVOKE, json.dumps({"requestPayload": {"else": 1}})],
        cwd=tmp_path,
        env={**edge.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (1, True) == (done.returncode, "KeyError" in done.stderr)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"requestPayload": RECORD["requestPayload"]}, id="bare"),
        pytest.param(
            {
                **RECORD,
                "requestContext": {"functionArn": "arn:aws:lambda:r:1:function:o"},
            },
            id="unknown-function",
        ),
    ],
)
def test_unknown_event(edge, invoke, record):
    """A function that is not named after an event is reported Failed all the same."""
    answer, lines = invoke(record)

    assert ("Failed", "unknown") == (edge.calls.get_nowait()["status"], answer["event"])
    assert [[1.0]] == failures(lines)


def test_in_step_with_the_layer(invoke, capsys):
    """Events, record and metrics are those of the hooks."""
    answer, lines = invoke(RECORD)
    event = LifecycleEvent(answer["event"])
    reason = Reason(Code.HOOK_SILENT, answer["outcomes"][0]["reason"])
    verdict = Verdict.aborted(event, {"report": reason})
    names = {key: answer["deployment"][key] for key in ("id", "application", "group")}
    others = dict.fromkeys(
        ("configuration", "cluster", "service", "region", "account"), ""
    )
    deployment = DeploymentInfo(**names, **others)
    EmfMetrics("Hookgate").publish(verdict, deployment)
    theirs = json.loads(capsys.readouterr().out.splitlines()[0])
    (ours,) = (each for each in lines if "_aws" in each)
    for each in (theirs, ours):
        each["_aws"].pop("Timestamp")
    record = verdict_record(verdict, deployment)
    accepted = {"accepted": True, "started_at": answer["started_at"]}

    assert tuple(LifecycleEvent) == EVENTS
    assert theirs == ours
    assert {**record, **accepted} == answer
