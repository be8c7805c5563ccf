"""Entries of ``expect`` and ``capture``: refused entries, findings and bounds."""

from __future__ import annotations

import sys

import pytest
from pydantic import ValidationError
from support.answers import answer

from hookgate.assertions.assertion import (
    Assertion,
    Capture,
)
from hookgate.assertions.queries import Missing

WRONG = [
    pytest.param({}, "give one of header, cookie, jsonpath", id="no query"),
    pytest.param("up", "give one of header, cookie", id="no mapping"),
    pytest.param({"equals": 1}, "give one of header", id="predicate alone"),
    pytest.param({"header": "A", "css": "b", "equals": "c"}, "give one of", id="two"),
    pytest.param({"header": "A"}, "give one of equals, differs", id="no predicate"),
    pytest.param({"body": {}}, "give one of equals", id="no predicate inside"),
    pytest.param(
        {"body": "tea"},
        r"write \{equals: tea\}",
        id="body as text",
    ),
    pytest.param({"header": "A", "equal": "b"}, "Extra inputs", id="unknown key"),
    pytest.param(
        {"header": "A", "equals": "b", "not": {"equals": "c"}},
        "give one of equals",
        id="two predicates",
    ),
    pytest.param(
        {"duration": {"below": "1s"}, "above": 1},
        r"above belongs inside duration: \{duration: \{above: …\}\}",
        id="beside",
    ),
    pytest.param(
        {"body": {"equals": "1"}, "filter": ["trim"]},
        "filter belongs inside",
        id="filter beside",
    ),
    pytest.param({"header": None, "equals": "a"}, "valid string", id="null query"),
    pytest.param({"header": 5, "equals": "a"}, "valid string", id="number as name"),
    pytest.param({"header": "A", "equals": 5}, "equals: expected text", id="not text"),
    pytest.param({"header": "A", "equals": None}, "equals: expected text", id="null"),
    pytest.param({"header": "A", "above": 5}, "above takes a number", id="kind"),
    pytest.param({"status": {"equals": "200"}}, "expected a number", id="number"),
    pytest.param({"status": {"below": "1s"}}, "expected a number", id="unit too many"),
    pytest.param({"duration": {"below": 5}}, "5 has no unit", id="no unit"),
    pytest.param({"duration": {"below": True}}, "a bound is a number", id="true"),
    pytest.param({"duration": {"equals": "5"}}, "'5' is not a duration", id="duration"),
    pytest.param({"size": {"at_most": "1s"}}, "'1s' is not a size", id="size"),
    pytest.param({"bytes": {"starts": "xy"}}, "is not hexadecimal", id="bytes"),
    pytest.param(
        {"certificate": "not_after", "above": "soon"}, "'soon' is not a date", id="date"
    ),
    pytest.param({"certificate": "owner", "equals": "a"}, "'subject'", id="field"),
    pytest.param({"phase": "dns", "below": "1s"}, "'resolve'", id="phase"),
    pytest.param({"hash": "crc", "equals": "a"}, "'md5'", id="hash"),
    pytest.param({"jsonpath": "a", "equals": 1}, "is not a JSON path", id="jsonpath"),
    pytest.param({"jsonpath": "$.a", "above": "1"}, "expected a number", id="text"),
    pytest.param(
        {"jsonpath": "$.a", "between": [2, 1]}, "2 is more than 1; swap", id="between"
    ),
    pytest.param({"jsonpath": "$.a", "between": [2]}, "Field required", id="one bound"),
    pytest.param({"jsonpath": "$.a", "one_of": []}, "at least 1 item", id="one_of"),
    pytest.param({"jsonpath": "$.a", "exists": 1}, "valid boolean", id="exists"),
    pytest.param({"jsonpath": "$.a", "is_null": "no"}, "valid boolean", id="is_null"),
    pytest.param({"jsonpath": "$.a", "is_empty": 0}, "valid boolean", id="is_empty"),
    pytest.param({"jsonpath": "$.a", "has_type": "text"}, "'string'", id="has_type"),
    pytest.param({"jsonpath": "$.a", "has_length": -1}, "equal to 0", id="length"),
    pytest.param({"jsonpath": "$.a", "has_length": "1"}, "valid integer", id="size"),
    pytest.param({"jsonpath": "$.a", "starts": 1}, "valid string", id="starts"),
    pytest.param({"jsonpath": "$.a", "ends": 1}, "valid string", id="ends"),
    pytest.param({"jsonpath": "$.a", "matches": "("}, "not a regular", id="matches"),
    pytest.param({"header": "A", "contains": 1}, "contains: expected", id="contains"),
    pytest.param(
        {"jsonpath": "$.a", "each": {"filter": ["lower"]}}, "each: give one", id="each"
    ),
    pytest.param({"jsonpath": "$.a", "any": {}}, "any: give one of equals", id="any"),
    pytest.param({"jsonpath": "$.a", "not": {}}, "not: give one of equals", id="not"),
    pytest.param({"xpath": "//", "equals": "a"}, "not an XPath", id="xpath"),
    pytest.param({"css": "a[", "equals": "a"}, "not a CSS selector", id="css"),
    pytest.param({"regex": "(", "equals": "a"}, "not a regular", id="regex"),
    pytest.param(
        {"cookie": "a", "attribute": "httponly", "exists": True},
        "unknown attribute 'httponly'.*HttpOnly",
        id="attribute",
    ),
    pytest.param(
        {"header": "a", "attribute": "Path", "exists": True},
        "attribute goes with cookie or css",
        id="attribute of a header",
    ),
]


@pytest.mark.parametrize(("entry", "message"), WRONG)
def test_wrong_assertion(entry, message):
    """A wrong entry is refused when the plan is read, with what to do."""
    with pytest.raises(ValidationError, match=message):
        Assertion.model_validate(entry)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param({}, "give one of header", id="no query"),
        pytest.param({"jsonpath": "$.a", "equals": 1}, "Extra inputs", id="predicate"),
        pytest.param({"body": {}, "filter": ["trim"]}, "belongs inside", id="filter"),
        pytest.param({"body": {"filter": ["first"]}}, "first takes an", id="kind"),
        pytest.param({"body": {}, "secret": "yes"}, "valid boolean", id="secret"),
    ],
)
def test_wrong_capture(entry, message):
    """A capture is a query and filters, and nothing else."""
    with pytest.raises(ValidationError, match=message):
        Capture.model_validate(entry)


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        pytest.param({"jsonpath": "$.token"}, "t1", id="value"),
        pytest.param({"jsonpath": "$.ids[*]"}, [1, 2], id="several"),
        pytest.param({"jsonpath": "$.ids[*]", "filter": ["last"]}, 2, id="filter"),
        pytest.param({"body": {"filter": ["count"]}}, 30, id="inside"),
        pytest.param({"status": {}}, 200, id="plain"),
        pytest.param({"jsonpath": "$.no"}, Missing("the value"), id="missing"),
    ],
)
def test_capture(entry, value):
    """A capture returns the value after its filters, or that it is missing."""
    reply = answer({"json": {"token": "t1", "ids": [1, 2]}})
    assert value == Capture.model_validate(entry).take(reply)[1]


@pytest.mark.parametrize(
    ("entry", "summary"),
    [
        pytest.param(
            {"jsonpath": "$.n", "above": 3},
            "body at $['n']: expected more than 3, got \"7\": above takes a number, "
            "a date, a duration or a size, not a string",
            id="kind",
        ),
        pytest.param(
            {"jsonpath": "$.n", "filter": ["to_number"], "above": 9},
            "body at $['n'], then to_number: expected more than 9, got 7",
            id="filter",
        ),
        pytest.param(
            {"jsonpath": "$.l[*]", "below": 2},
            "body at $['l'][1]: expected less than 2, got 2",
            id="which of several",
        ),
        pytest.param(
            {"jsonpath": "$.l", "each": {"between": [2, 3]}},
            "body at $['l']: expected each element to be between 2 and 3, got [1, 2]",
            id="each",
        ),
        pytest.param(
            {"status": {"not": {"one_of": [200, 204]}}},
            "status: expected not one of 200, 204, got 200",
            id="not",
        ),
        pytest.param(
            {"duration": {"at_most": "5ms"}},
            "duration: expected at most 5 ms, got 10 ms",
            id="unit",
        ),
    ],
)
def test_failure_names_both_values(entry, summary):
    """A finding names the place, the expected and the actual value."""
    reply = answer({"json": {"n": "7", "l": [1, 2]}})
    finding = Assertion.model_validate(entry).finding(reply)
    assert (False, summary) == (finding.ok, finding.summary)


@pytest.mark.parametrize("query", ["xpath", "css"])
@pytest.mark.parametrize("kind", [Assertion, Capture])
def test_second_layer_is_demanded(monkeypatch, query, kind):
    """Without lxml a plan with XPath or CSS is refused, with the parameter to set."""
    monkeypatch.setitem(sys.modules, "lxml", None)
    message = f"{query} needs the second layer.*SecondLayer=true"
    with pytest.raises(ValidationError, match=message):
        kind.model_validate({query: "h1"})


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(
            '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>',
            "text/xml",
            id="entities",
        ),
        pytest.param(
            '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
            "text/xml",
            id="file",
        ),
        pytest.param("<a>" * 100_000, "text/xml", id="depth of XML"),
        pytest.param("<b>" * 100_000, "text/html", id="depth of HTML"),
    ],
)
def test_markup_is_bounded(body, kind):
    """Entities are not resolved and depth is bounded: nothing of it is shown."""
    entry = Assertion.model_validate({"xpath": "//a", "contains": "ha"})
    finding = entry.finding(answer({"body": body, "headers": {"Content-Type": kind}}))
    assert not finding.ok
    assert "root:" not in finding.summary


def test_catastrophic_pattern_ends():
    """A pattern that would keep other engines busy fails at once."""
    entry = Assertion.model_validate({"body": {"matches": "^(a+)+$"}})
    assert not entry.finding(answer({"body": "a" * 100_000 + "b"})).ok


def test_deep_json_is_a_finding():
    """A body that would exhaust the stack is a finding."""
    for path in ("$..a", "$"):
        entry = Assertion.model_validate({"jsonpath": path, "equals": 1})
        assert not entry.finding(answer({"body": "[" * 900 + "]" * 900})).ok
        assert not entry.finding(answer({"body": "[" * 100_000})).ok
