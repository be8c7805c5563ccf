"""Records as JUnit XML, which every CI system shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite


def of_verdicts(verdicts: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """One suite a verdict, one case a step.

    Args:
        verdicts: pairs of a suite's name and a verdict record.
    """
    document = JUnitXml()
    for name, verdict in verdicts:
        suite = TestSuite(name)
        suite.timestamp = verdict["started_at"]
        for outcome in verdict["outcomes"]:
            suite.add_testcase(_case(name, outcome))
        document.add_testsuite(suite)
    return text_of(document)


def of_rehearsal(record: Mapping[str, Any]) -> str:
    """One suite for the rehearsal, one case a deployment, and one suite a verdict."""
    document = JUnitXml()
    suite = TestSuite("rehearsal")
    for played in record["deployments"]:
        milliseconds = sum(e["duration_ms"] for e in played["lifecycle_events"])
        case = TestCase(played["name"], "rehearsal", milliseconds / 1000)
        if not played["as_expected"]:
            case.result = [Failure("; ".join(played["surprises"]))]
        suite.add_testcase(case)
    document.add_testsuite(suite)
    return text_of(document)


def text_of(document: JUnitXml) -> str:
    """The document as text."""
    raw: bytes = document.tostring()  # type: ignore[no-untyped-call] # its only gap
    return raw.decode()


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
        f"{'ok' if each['ok'] else 'NOT OK'}: {each['summary']}"
        for each in outcome["findings"]
    )
    return case
