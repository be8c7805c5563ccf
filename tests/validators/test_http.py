"""Options of ``http`` that a case table does not show."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from hookgate.testing import a_reply, check
from validators.http import Http

WRONG = [
    pytest.param({"path": "health"}, "pattern", id="path"),
    pytest.param({"method": "get it"}, "pattern", id="method"),
    pytest.param({"body": "a", "json": {}}, "body or json, not both", id="two bodies"),
    pytest.param({"headers": {"X": 1}}, "valid string", id="header value"),
    pytest.param({"status": 700}, "'700' is not a status: write 200, 2xx", id="status"),
    pytest.param({"status": True}, "'True' is not a status", id="status true"),
    pytest.param({"stop_on": ["6xx"]}, "'6xx' is not a status", id="stop_on"),
    pytest.param({"within": 60}, "60 has no unit", id="within"),
    pytest.param({"every": "1ms"}, "at least 50ms", id="every"),
    pytest.param({"consecutive": 0}, "greater than or equal to 1", id="consecutive"),
    pytest.param({"timeout": "0s"}, "greater than 0", id="timeout"),
    pytest.param({"max_body": 100}, "100 has no unit", id="max_body"),
    pytest.param({"listener": "green"}, "'test' or 'production'", id="listener"),
    pytest.param({"expect": [{}]}, "give one of header, cookie", id="no query"),
    pytest.param(
        {"expect": [{"header": "A", "jsonpath": "$", "equals": "b"}]},
        "give one of header, cookie, jsonpath",
        id="two queries",
    ),
    pytest.param({"expect": ["up"]}, "give one of header, cookie", id="no mapping"),
    pytest.param(
        {"expect": [{"header": "A"}]}, "give one of equals, differs", id="no predicate"
    ),
    pytest.param(
        {"expect": [{"header": "A", "equals": "b", "contains": "c"}]},
        "give one of equals",
        id="two predicates",
    ),
    pytest.param(
        {"expect": [{"header": "A", "equal": "b"}]}, "Extra inputs", id="unknown"
    ),
    pytest.param(
        {"expect": [{"header": "A", "matches": "("}]},
        "not a regular expression",
        id="pattern",
    ),
    pytest.param(
        {"expect": [{"jsonpath": "status", "equals": 1}]},
        "'status' is not a JSON path such as \\$.status: expected",
        id="JSON path",
    ),
    pytest.param(
        {"expect": [{"jsonpath": 5, "equals": 1}]}, "JSON path is text", id="no text"
    ),
    pytest.param(
        {"expect": [{"body": "hello"}]}, "valid dictionary", id="body as text"
    ),
    pytest.param(
        {"expect": [{"duration": {"below": 5}}]}, "5 has no unit", id="duration"
    ),
]


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_wrong_option(options, said):
    """Every wrong value is refused when the plan is read, with what to do."""
    with pytest.raises(ValidationError, match=said):
        Http.model_validate(options)


@pytest.mark.parametrize(
    ("options", "body", "kind"),
    [
        pytest.param({"body": "tea=1"}, b"tea=1", None, id="text"),
        pytest.param({"json": {"a": 1}}, b'{"a": 1}', "application/json", id="JSON"),
        pytest.param({"json": None}, b"null", "application/json", id="null"),
        pytest.param({}, None, None, id="none"),
    ],
)
def test_body_is_sent(options, body, kind):
    """Text goes as it is, JSON with its Content-Type."""
    asked = []

    def app(request):
        asked.append(request)
        return 200

    check(Http.model_validate({"method": "POST", **options}), app=app)
    assert (asked[0].body, asked[0].headers.get("Content-Type")) == (body, kind)


def test_evidence_of_a_failure_shows_the_answer():
    """Who answered what, when; the engine masks the body and then cuts it."""
    finding = check(Http(), replies=[a_reply(500, "x" * 9000, duration=0.25)])[0]
    assert finding.evidence == {
        "method": "GET",
        "path": "/",
        "status": 500,
        "duration_ms": 250.0,
        "peer": "192.0.2.1",
        "body": "x" * 9000,
    }


def test_good_answer_is_not_kept():
    """What is right is not copied into the record."""
    assert "body" not in check(Http(), replies=[a_reply(200, "secret")])[0].evidence


def test_worst_case():
    """One try takes no longer than its timeout."""
    assert Http.model_validate({"timeout": "2s"}).worst_case() == 2


@pytest.mark.parametrize("depth", [100_000])
def test_deep_json_is_refused(depth):
    """A body that would exhaust the stack is told as such."""
    http = Http.model_validate({"expect": [{"jsonpath": "$..a", "equals": 1}]})
    finding = check(http, replies=[a_reply(200, "[" * depth + "]" * depth)])[1]
    assert not finding.ok
    assert "JSON" in finding.summary
