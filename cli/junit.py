"""Records as JUnit XML, which every CI system shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

#: What XML 1.0 cannot say, not even as a reference.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
    return _text(document)


def of_rehearsal(record: Mapping[str, Any]) -> str:
    """One case a deployment, which fails if it did not end as the scenario expects.

    A step that stopped a bad version as it should is no failure; it stands with the
    other events and steps in the case's output.
    """
    document, suite = JUnitXml(), TestSuite("rehearsal")
    for played in record["deployments"]:
        milliseconds = sum(e["duration_ms"] for e in played["lifecycle_events"])
        case = TestCase(_clean(played["name"]), "rehearsal", milliseconds / 1000)
        if not played["as_expected"]:
            case.result = [Failure(_clean("; ".join(played["surprises"])))]
        case.system_out = _clean("\n".join(_story(played)))
        suite.add_testcase(case)
    document.add_testsuite(suite)
    return _text(document)


def _story(played: Mapping[str, Any]) -> Iterator[str]:
    yield f"{played['image']} {played['deployment_id']}: {played['status']}"
    if played["error"]:
        yield f"{played['error']['code']}: {played['error']['message']}"
    for event in played["lifecycle_events"]:
        yield f"{event['name']}: {event['status']}"
        for outcome in (event["verdict"] or {}).get("outcomes", ()):
            yield f"  {outcome['name']}: {outcome['status']}: {outcome['reason']}"
    if played["rollback"]:
        rollback = played["rollback"]
        yield f"rollback {rollback['deployment_id']}: {rollback['status']}"


def _case(suite: str, outcome: Mapping[str, Any]) -> TestCase:
    case = TestCase(_clean(outcome["name"]), suite, outcome["duration_ms"] / 1000)
    reason, status = _clean(outcome["reason"]), outcome["status"]
    if status == "failed":
        case.result = [Failure(reason)]
    elif status in {"errored", "inconclusive"}:
        case.result = [Error(reason, status)]
    elif status == "skipped":
        case.result = [Skipped(reason)]
    case.system_out = _clean(
        "\n".join(
            f"{'ok' if each['ok'] else 'NOT OK'}: {each['summary']}"
            for each in outcome["findings"]
        )
    )
    return case


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _text(document: JUnitXml) -> str:
    raw: bytes = document.tostring()  # type: ignore[no-untyped-call] # its only gap
    return raw.decode()
