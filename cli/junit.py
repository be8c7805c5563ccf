"""Records as JUnit XML, which CI systems show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from hookgate_cli.output import INTERRUPTED
from hookgate_cli.printable import continued, printable_record
from hookgate_cli.words import outcomes_of


def of_run(verdict: Mapping[str, Any]) -> str:
    """One suite for the verdict record of an event, with one case a step."""
    verdict = printable_record(verdict)
    document, suite = JUnitXml(), TestSuite(verdict["event"])
    suite.timestamp = verdict["started_at"]
    for outcome in verdict["outcomes"]:
        suite.add_testcase(_case(verdict["event"], outcome))
    document.add_testsuite(suite)
    return _text(document)


def of_rehearsal(record: Mapping[str, Any]) -> str:
    """One case a deployment, which fails if it did not end as the scenario expects.

    A step that stopped a bad version as expected is not a failure. The case's output
    lists events and steps. An interrupted rehearsal has an error for each deployment
    that did not end, and one of its own, so that it never counts as passed.
    """
    record = printable_record(record)
    document, suite = JUnitXml(), TestSuite("rehearsal")
    for deployment in record["deployments"]:
        milliseconds = sum(e["duration_ms"] for e in deployment["lifecycle_events"])
        case = TestCase(deployment["name"], "rehearsal", milliseconds / 1000)
        if deployment["interrupted"]:
            case.result = [Error(INTERRUPTED)]
        elif not deployment["as_expected"]:
            case.result = [Failure("; ".join(deployment["surprises"]))]
        case.system_out = "\n".join(map(continued, _lines(deployment)))
        suite.add_testcase(case)
    for name in (*record["not_run"], *["rehearsal"] * record["interrupted"]):
        case = TestCase(name, "rehearsal")
        case.result = [Error(INTERRUPTED)]
        suite.add_testcase(case)
    document.add_testsuite(suite)
    return _text(document)


def _lines(deployment: Mapping[str, Any]) -> Iterator[str]:
    name = f"{deployment['image']} {deployment['deployment_id']}"
    yield f"{name}: {deployment['status']}"
    if deployment["error"]:
        yield f"{deployment['error']['code']}: {deployment['error']['message']}"
    for event in deployment["lifecycle_events"]:
        yield f"{event['name']}: {event['status']}"
        for outcome in outcomes_of(event):
            yield f"  {outcome['name']}: {outcome['status']}: {outcome['reason']}"
    if deployment["rollback"]:
        rollback = deployment["rollback"]
        yield f"rollback {rollback['deployment_id']}: {rollback['status']}"


def _case(suite: str, outcome: Mapping[str, Any]) -> TestCase:
    case = TestCase(outcome["name"], suite, outcome["duration_ms"] / 1000)
    reason, status = outcome["reason"], outcome["status"]
    if status == "failed":
        case.result = [Failure(reason)]
    elif status in {"errored", "inconclusive"}:
        case.result = [Error(reason, status)]
    elif status == "skipped":
        case.result = [Skipped(reason)]
    case.system_out = "\n".join(
        continued(f"{'ok' if each['ok'] else 'NOT OK'}: {each['summary']}")
        for each in outcome["findings"]
    )
    return case


def _text(document: JUnitXml) -> str:
    raw: bytes = document.tostring()  # type: ignore[no-untyped-call] # its only gap
    return raw.decode()
