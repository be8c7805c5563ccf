"""The record of a verdict within its bound, and its metrics in CloudWatch's format."""

import io
import json
from dataclasses import replace

import pytest
from support.steps import EVENT

from hookgate.context import DeploymentInfo, HookEvent
from hookgate.model import Finding, LifecycleEvent, Metric, Outcome, Status, Verdict
from hookgate.reporting import (
    MAX_RECORD,
    EmfMetrics,
    InvocationLog,
    bounded_record,
    verdict_record,
)

DEPLOYMENT = DeploymentInfo(
    id="d-1",
    application="shop",
    group="production",
    configuration="",
    cluster="c",
    service="s",
    region="eu-west-1",
    account="1",
)


def verdict(*statuses: Status) -> Verdict:
    """A verdict whose steps have these statuses."""
    return Verdict(
        event=LifecycleEvent.AFTER_INSTALL,
        duration_ms=1500,
        outcomes=tuple(
            Outcome(
                name=f"step {n}",
                use="x",
                status=status,
                blocking=True,
                reason="",
                duration_ms=700,
            )
            for n, status in enumerate(statuses)
        ),
    )


@pytest.fixture(name="lines")
def _lines(capsys, monkeypatch):
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "never-a-dimension")

    def lines(*statuses, deployment=DEPLOYMENT):
        EmfMetrics("Hookgate").publish(verdict(*statuses), deployment)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return lines


def directive(line):
    """The part of a line that tells CloudWatch what to read from it."""
    (one,) = line["_aws"]["CloudWatchMetrics"]
    return one


@pytest.mark.parametrize(
    ("status", "succeeded", "failed"),
    [(Status.PASSED, [1.0], [0.0]), (Status.FAILED, [0.0], [1.0])],
)
def test_verdict(lines, status, succeeded, failed):
    """Succeeded and Failed are both written, one as 1 and the other as 0."""
    line = lines(status)[0]

    assert (succeeded, failed, [1500.0]) == (
        line["VerdictSucceeded"],
        line["VerdictFailed"],
        line["ValidationDuration"],
    )


def test_dimensions(lines):
    """A verdict stands under its group, with and without the event."""
    line = lines(Status.PASSED)[0]
    group = ["Application", "DeploymentGroup"]

    assert [group, [*group, "LifecycleEvent"]] == directive(line)["Dimensions"]
    assert ("shop", "production", "AfterInstall") == (
        line["Application"],
        line["DeploymentGroup"],
        line["LifecycleEvent"],
    )


def test_namespace_and_units(lines):
    """Namespace and units are what the alarms in the template expect."""
    one = directive(lines(Status.PASSED)[0])

    assert one["Namespace"] == "Hookgate"
    assert one["Metrics"] == [
        {"Name": "VerdictSucceeded", "Unit": "Count"},
        {"Name": "VerdictFailed", "Unit": "Count"},
        {"Name": "ValidationDuration", "Unit": "Milliseconds"},
    ]


def test_steps(lines):
    """Every step has its own line, 1 only if it passed."""
    written = lines(Status.PASSED, Status.FAILED, Status.SKIPPED)[1:]

    assert [("step 0", [1.0]), ("step 1", [0.0]), ("step 2", [0.0])] == [
        (each["Step"], each["StepPassed"]) for each in written
    ]
    assert [["Application", "DeploymentGroup", "LifecycleEvent", "Step"]] == (
        directive(written[0])["Dimensions"]
    )


def test_deployment_id_is_a_property(lines):
    """The deployment id can be searched for, and is never a dimension."""
    line = lines(Status.PASSED)[0]

    assert line["deployment_id"] == "d-1"
    assert "deployment_id" not in str(directive(line))


def test_unknown_deployment(lines):
    """A deployment that could not be found is still counted."""
    assert lines(Status.ERRORED, deployment=None)[0]["Application"] == "unknown"


def test_metrics_of_findings(capsys):
    """A step publishes what its findings measured, with their units."""
    measured = (Metric("Requests", 60), Metric("ErrorRate", 1.5, "Percent"))
    findings = (
        Finding(ok=True, summary="", metrics=measured),
        Finding(ok=True, summary="", evidence={"metrics": {"Cost": 1.0}}),
    )
    line = published(capsys, *findings)
    units = {each["Name"]: each["Unit"] for each in directive(line)["Metrics"]}
    assert set(units) == {"StepPassed", "StepDuration", "Requests", "ErrorRate"}
    assert (units["Requests"], line["Requests"]) == ("Count", [60.0])
    assert (units["ErrorRate"], line["ErrorRate"]) == ("Percent", [1.5])


def test_findings_do_not_replace_the_metrics_of_a_step(capsys):
    """An alarm on StepPassed reads the result of the step, whatever a finding has."""
    finding = Finding(ok=True, summary="", metrics=(Metric("StepPassed", 0.0),))
    assert published(capsys, finding)["StepPassed"] == [1.0]


def published(capsys, *findings):
    step = replace(verdict(Status.PASSED).outcomes[0], findings=findings)
    EmfMetrics("Hookgate").publish(replace(verdict(), outcomes=(step,)), DEPLOYMENT)
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def a_verdict(steps=1, reason="r", **finding):
    """A failed verdict whose steps state a hundred findings each."""
    one = Finding(ok=False, code="HG-C", **{"summary": "s", **finding})
    return Verdict(
        event=EVENT,
        outcomes=tuple(
            Outcome(
                name=f"{number}",
                use="http",
                status=Status.FAILED,
                blocking=True,
                reason=reason,
                findings=(one,) * 100,
            )
            for number in range(steps)
        ),
        waivers=("o",),
    )


def test_small():
    """A record within the bound is whole."""
    verdict = a_verdict(evidence={"a": 1})

    assert verdict_record(verdict, None) == bounded_record(verdict, None)


def test_without_evidence():
    """Evidence goes first; what was found stays."""
    record = bounded_record(a_verdict(evidence={"a": "x" * 9000}), None)

    stripped = {"ok": False, "code": "HG-C", "summary": "s", "evidence": {}}
    assert [stripped] * 100 == record["outcomes"][0]["findings"]


def test_without_findings():
    """Findings go next; the reason stays."""
    record = bounded_record(a_verdict(summary="x" * 9000), None)

    assert [("r", [])] == [
        (each["reason"], each["findings"]) for each in record["outcomes"]
    ]


@pytest.mark.parametrize("character", ["x", "\n", "é", "\U0001f600"])
def test_bound(character):
    """A record is never larger than the bound, whatever its reasons say."""
    verdict = a_verdict(steps=100, reason=character * 10**5)
    record = bounded_record(verdict, None)

    assert MAX_RECORD >= len(json.dumps(record))
    assert record["outcomes"][0]["reason"].startswith(character)


def test_log_lines_contain_a_hash_of_the_execution_id():
    """A reader of the log cannot report a status with what is there."""
    stream = io.StringIO()
    log = InvocationLog.to(stream, service="test-of-the-execution-id")
    ids = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "secret-id"}
    log.begin(HookEvent.parse(ids), "AfterInstall")
    log.logger.info("a line")
    line = json.loads(stream.getvalue())
    assert ("d-1", 16) == (line["deployment_id"], len(line["execution"]))
    assert "secret-id" not in stream.getvalue()
