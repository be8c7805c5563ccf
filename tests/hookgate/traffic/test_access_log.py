"""Entries of an access log."""

from __future__ import annotations

import pytest
from support.access_log import line

from hookgate.traffic.access_log import ENTRY, FIELDS, parse_request


def test_every_field():
    """All documented fields are parsed; a quoted field may contain spaces."""
    entry = ENTRY.fullmatch(line(user_agent="Mozilla/5.0 (X11; Linux)"))
    assert entry is not None
    found = entry.groupdict()
    assert [each.strip('"') for each in FIELDS] + ["conn_trace_id"] == list(found)
    expected = {
        "type": "https",
        "client": "192.168.131.39:2817",
        "target_processing_time": "0.048",
        "elb_status_code": "200",
        "request": "GET https://www.example.com:443/ HTTP/1.1",
        "user_agent": "Mozilla/5.0 (X11; Linux)",
        "domain_name": "www.example.com",
        "actions_executed": "authenticate,forward",
        "classification_reason": "-",
        "conn_trace_id": "TID_1234abcd5678ef90",
    }
    assert expected == {name: found[name] for name in expected}


@pytest.mark.parametrize(
    ("end", "trace"), [("", None), (" TID_1", "TID_1"), (' TID_1 "new" 7', "TID_1")]
)
def test_fields_may_be_appended(end, trace):
    """Entries without the last field and with further fields are valid."""
    old = line().rpartition(" ")[0]
    found = ENTRY.fullmatch(old + end)
    assert found
    assert trace == found["conn_trace_id"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("GET / HTTP/1.1", id="no entry"),
        pytest.param(line()[:-200], id="cut off"),
        pytest.param(line().replace(' "-" "-" "10', ' - - "10'), id="no quotes"),
        pytest.param(line(request='GET /" HTTP/1.1'), id="a quote inside"),
    ],
)
def test_no_entry(text):
    """An incomplete or malformed line is not an entry."""
    assert ENTRY.fullmatch(text) is None
    assert parse_request(text.encode()) is None


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        pytest.param(
            "GET http://a.example:80/search?q=tea&n=1 HTTP/1.1",
            ("GET", "/search?q=tea&n=1"),
            id="query",
        ),
        pytest.param("HEAD https://a:443/ HTTP/2.0", ("HEAD", "/"), id="root"),
        pytest.param("GET https://a:443 HTTP/1.1", ("GET", "/"), id="no path"),
        pytest.param("GET https://a:443?x=1 HTTP/1.1", ("GET", "/?x=1"), id="no slash"),
        pytest.param("GET http://a/b#c HTTP/1.1", ("GET", "/b"), id="fragment"),
        pytest.param("GET http://a/b c HTTP/1.1", ("GET", "/b%20c"), id="space"),
        pytest.param("GET http://a/%C3%A9 HTTP/1.1", ("GET", "/%C3%A9"), id="encoded"),
        pytest.param(
            "GET http://a/\u00e9 HTTP/1.1", ("GET", "/%C3%A9"), id="not encoded"
        ),
        pytest.param("- http://a:80- -", None, id="no request"),
        pytest.param("GET /relative HTTP/1.1", None, id="no URL"),
        pytest.param(f"GET http://a/{'b' * 9000} HTTP/1.1", None, id="too long"),
    ],
)
def test_request(request_, expected):
    """The path is the one that the client sent, percent-encoded where needed."""
    assert expected == parse_request(line(request=request_).encode())


def test_bytes_that_are_not_text():
    """Bytes of a URL that are not UTF-8 are percent-encoded."""
    raw = line(request="GET http://a/X HTTP/1.1").encode().replace(b"X", b"\xff\x01")
    assert ("GET", "/%FF%01") == parse_request(raw)
