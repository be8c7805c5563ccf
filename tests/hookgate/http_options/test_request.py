"""One request model: what a plan says is sent alike, whichever validator sends it."""

from __future__ import annotations

import pytest
from support.listeners import answer, probe
from support.traffic import load, never, tool

from hookgate.files import Reading
from hookgate.traffic.options import TrafficRequest
from hookgate_validators.http import Http, assertions
from hookgate_validators.scenario.steps import Call

FILES = Reading(read=lambda name: f"the content of {name}".encode())
#: Headers that say who sends, which differ on purpose.
OWN = ("user-agent", "x-hookgate", "accept-encoding", "host")


def sent(listener) -> tuple[str, set[str], str]:
    """Request line, headers and body of the last request."""
    head, _, body = listener.requests[-1].decode("latin-1").partition("\r\n\r\n")
    line, *headers = head.split("\r\n")
    return line, {e for e in headers if e.partition(":")[0].lower() not in OWN}, body


JSON, FORM = "application/json", "application/x-www-form-urlencoded"
CASES = [
    pytest.param({"path": "/a?b=c"}, "GET /a?b=c", set(), id="GET"),
    pytest.param({"path": "/ü b/../c#d"}, "GET /c", set(), id="quoted"),
    pytest.param(
        {"path": "/a?b=1", "query": {"q": "green tea", "n": [1, True]}},
        "GET /a?b=1&q=green+tea&n=1&n=true",
        set(),
        id="query",
    ),
    pytest.param({"json": {}}, "POST /", {f"Content-Type: {JSON}"}, id="JSON"),
    pytest.param(
        {"json": {}, "headers": {"content-type": "application/problem+json"}},
        "POST /",
        {"content-type: application/problem+json"},
        id="JSON of another type, in lower case",
    ),
    pytest.param({"method": "PUT", "json": None}, "PUT /", set(), id="null"),
    pytest.param(
        {"form": {"a": [1, 2]}}, "POST /", {f"Content-Type: {FORM}"}, id="form"
    ),
    pytest.param({"body": "tea"}, "POST /", set(), id="text"),
    pytest.param({"body": {"file": "order.json"}}, "POST /", set(), id="file"),
    pytest.param({"method": "DELETE"}, "DELETE /", set(), id="DELETE"),
    pytest.param(
        {"method": "HEAD", "headers": {"X-A": ""}}, "HEAD /", set(), id="HEAD"
    ),
]


@pytest.mark.parametrize(("options", "line", "headers"), CASES)
def test_every_validator_sends_it_alike(listen, options, line, headers):
    """http, scenario and traffic put the same bytes on the wire."""
    listener = listen(answer(b""))
    given = {"path": "/", **options}
    found = []
    for model in (Http, Call):
        probe(listener.port)(model.model_validate(given, context=FILES).request())
        found.append(sent(listener))
    template = TrafficRequest.model_validate(given, context=FILES).template({})
    tool(listener.port)(load(1, templates=(template,)), never)
    found.append(sent(listener))
    assert [found[0]] * 3 == found
    assert f"{line} HTTP/1.1" == found[0][0]
    assert headers <= found[0][1]


@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
def test_header_of_all_requests(name):
    """A header of all requests goes before a default, and after a request's own."""
    call = Call.model_validate({"path": "/", "json": 1, "headers": {"x-a": "own"}})
    request = call.request({name: "text/tea", "X-A": "common"})
    assert {name: "text/tea", "x-a": "own"} == request.headers


def test_graphql_is_judged_by_http_too():
    """GraphQL that reports errors with 200 fails, unless the plan allows it."""
    strict = Http.model_validate({"graphql": {"query": "{ tea }"}})
    loose = Http.model_validate({"graphql": {"query": "{ tea }", "errors": True}})
    assert (1, 0) == (len(assertions(strict, ())), len(assertions(loose, ())))
    assert b'{"query": "{ tea }", "variables": {}}' == strict.request().body
