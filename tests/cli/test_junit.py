"""JUnit XML."""

from xml.etree import ElementTree as ET

import pytest
from support.rehearsal_record import (
    a_deployment,
    a_record,
    a_verdict,
    an_event,
    an_outcome,
)

from hookgate_cli.junit import of_rehearsal, of_run


def _cases(text):
    return ET.fromstring(text).findall(".//testcase")  # noqa: S314 - our own text


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param("passed", [], id="passed"),
        pytest.param("failed", ["failure"], id="failed"),
        pytest.param("errored", ["error"], id="errored"),
        pytest.param("inconclusive", ["error"], id="inconclusive"),
        pytest.param("skipped", ["skipped"], id="skipped"),
    ],
)
def test_each_status_has_its_element(status, expected):
    """A step that did not pass is a failure, an error or skipped."""
    verdict = a_verdict(an_outcome(status=status))
    (case,) = _cases(of_run(verdict))
    assert expected == [each.tag for each in case if each.tag != "system-out"]


def test_reason_is_the_message():
    """A failure says why."""
    verdict = a_verdict(an_outcome(status="failed", reason="answered 500"))
    (case,) = _cases(of_run(verdict))
    assert "answered 500" == case.find("failure").get("message")


def test_what_xml_cannot_contain_is_escaped():
    """A control character in a reason does not make the file unreadable."""
    verdict = a_verdict(an_outcome(status="failed", reason="a\x00\x1b<b>"))
    (case,) = _cases(of_run(verdict))
    assert r"a\x00\x1b<b>" == case.find("failure").get("message")


def test_interrupted_rehearsal_is_an_error():
    """CI is red after an interrupt, although every deployment until then was right."""
    running = a_deployment(name="b", interrupted=True, as_expected=False)
    record = a_record(a_deployment(), running, interrupted=True, not_run=["c"])
    cases = _cases(of_rehearsal(record))
    errors = {each.get("name"): each.find("error") is not None for each in cases}
    assert {"a good version": False, "b": True, "c": True, "rehearsal": True} == errors
    (only,) = _cases(of_rehearsal(a_record()))
    assert only.find("error") is None


def test_bad_version_that_was_stopped_as_expected_is_no_failure():
    """CI stays green when a deployment fails as its scenario says."""
    failed = an_event("AfterAllowTestTraffic", status="Failed")
    failed["verdict"] = a_verdict(an_outcome(status="failed"), status="Failed")
    record = a_record(a_deployment(status="Failed", lifecycle_events=[failed]))
    (case,) = _cases(of_rehearsal(record))
    assert ["system-out"] == [each.tag for each in case]


def test_surprise_is_a_failure():
    """A deployment that did not end as expected fails, with every surprise."""
    deployment = a_deployment(as_expected=False, surprises=["one", "two"])
    (case,) = _cases(of_rehearsal(a_record(deployment)))
    assert "one; two" == case.find("failure").get("message")


def test_events_are_in_the_output():
    """The case's output lists events, steps and the rollback."""
    event = an_event("AfterInstall", verdict=a_verdict())
    rollback = {"deployment_id": "d-2", "status": "Succeeded"}
    error = {"code": "HOOK_EXECUTION_FAILURE", "message": "the hook failed"}
    deployment = a_deployment(lifecycle_events=[event], rollback=rollback, error=error)
    (case,) = _cases(of_rehearsal(a_record(deployment)))
    assert [
        "shop:1.2.0 d-1: Succeeded",
        "HOOK_EXECUTION_FAILURE: the hook failed",
        "AfterInstall: Succeeded",
        "  home page: passed: GET / answered 200",
        "rollback d-2: Succeeded",
    ] == case.findtext("system-out").splitlines()
