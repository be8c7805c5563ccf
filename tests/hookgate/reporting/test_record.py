"""A record that is larger than its places take goes without what matters least."""

import json

import pytest
from support.steps import EVENT

from hookgate.model import Finding, Outcome, Status, Verdict
from hookgate.reporting.record import MAX_RECORD, bounded_record, verdict_record


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
