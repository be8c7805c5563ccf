"""A test route that is a rule: no request is sent that another rule would take."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.coded import raises
from support.listeners import answer, probe

from hookgate.codes import Code
from hookgate.context import RuleCondition
from hookgate.errors import CannotMeasure
from hookgate.http.request import Request
from hookgate.testing import leads_to


def path(*values):
    return RuleCondition(field="path-pattern", values=values)


def host(*values):
    return RuleCondition(field="host-header", values=values)


def header(*values, name="X-Test"):
    return RuleCondition(field="http-header", values=values, name=name)


@pytest.fixture(name="sent")
def _sent(listen):
    """Send a request by a rule; returns the request line's target."""
    listener = listen(answer())

    def send(*conditions, request=None, name=None, **endpoint):
        ask = probe(
            listener.port, endpoint={**endpoint, "conditions": conditions}, host=name
        )
        try:
            ask(request or Request())
        except CannotMeasure as error:
            assert [] == listener.requests
            return str(error)
        return listener.requests[-1].decode("latin-1").split(" ")[1]

    return send


@pytest.mark.parametrize(
    ("pattern", "prefix", "asked", "target"),
    [
        pytest.param("/app", "", "/app", "/app", id="exact"),
        pytest.param("/app", "", "/app?q=/x", "/app?q=/x", id="query"),
        pytest.param("/preview/*", "/preview", "/cart", "/preview/cart", id="below"),
        pytest.param("/preview/*", "/preview", "/", "/preview/", id="root"),
        pytest.param("/preview/*", "/preview", "/preview/", "/preview/", id="there"),
        pytest.param("/preview/*", "/preview", "/preview/a", "/preview/a", id="in"),
        pytest.param(
            "/preview/*", "/preview", "/previews", "/preview/previews", id="word"
        ),
        pytest.param("*.html", "", "/a/b.html?x", "/a/b.html?x", id="suffix"),
        pytest.param("/v?/*", "", "/v2/a", "/v2/a", id="one letter"),
        pytest.param("/*", "", "/a", "/a", id="any"),
        pytest.param("/a.b*", "", "/a.bc", "/a.bc", id="dot"),
    ],
)
def test_path_taken(sent, pattern, prefix, asked, target):
    """A path that the rule takes is sent unchanged, another below a literal prefix."""
    request = Request(path=asked)

    assert target == sent(path(pattern), path_prefix=prefix, request=request)


@pytest.mark.parametrize(
    ("pattern", "asked"),
    [
        pytest.param("/app", "/app/health", id="below an exact path"),
        pytest.param("/app", "/", id="above"),
        pytest.param("/app", "/App", id="case"),
        pytest.param("/app", "/apps", id="longer"),
        pytest.param("*.html", "/a.htm", id="suffix"),
        pytest.param("*.html", "/a?b=c.html", id="query"),
        pytest.param("/v?/*", "/v/a", id="no letter"),
        pytest.param("/v?/*", "/v10/a", id="two letters"),
        pytest.param("/a.b", "/axb", id="dot is no wildcard"),
        pytest.param("/[ab]", "/a", id="brackets are no wildcard"),
    ],
)
def test_path_refused(sent, pattern, asked):
    """A path that the rule does not take is not sent, and the condition is named."""
    reason = sent(path(pattern), request=Request(path=asked))

    assert f"the listener rule's condition is path-pattern {pattern}" in reason


def test_any_value(sent):
    """One of a condition's patterns is enough."""
    assert "/b" == sent(path("/a", "/b"), request=Request(path="/b"))


def test_every_condition(sent):
    """One condition that is not met is enough to refuse."""
    reason = sent(path("/a"), header("yes"), request=Request(path="/a"))

    assert "header X-Test is missing" in reason


@pytest.mark.parametrize(
    ("pattern", "name", "own"),
    [
        pytest.param("test.example.com", "test.example.com", {}, id="target.host"),
        pytest.param("*.example.com", "A.Example.COM:8443", {}, id="case and port"),
        pytest.param("t?st.x", "other.x", {"host": "TEST.x"}, id="the step's Host"),
        pytest.param("127.0.0.1", None, {}, id="the address"),
        pytest.param("xn--mller-kva.example", "müller.example", {}, id="IDNA"),
    ],
)
def test_host_taken(sent, pattern, name, own):
    """A host that the rule matches may be sent."""
    assert "/" == sent(host(pattern), name=name, request=Request(headers=own))


@pytest.mark.parametrize(
    ("pattern", "name", "own"),
    [
        pytest.param("test.example.com", "example.com", {}, id="target.host"),
        pytest.param("*.example.com", "example.com", {}, id="domain itself"),
        pytest.param("test.x", "test.x", {"Host": "shop.x"}, id="the step's Host"),
        pytest.param("test.x", None, {}, id="the address"),
    ],
)
def test_host_refused(sent, pattern, name, own):
    """A host that the rule does not match is not sent, and the reason names it."""
    reason = sent(host(pattern), name=name, request=Request(headers=own))

    assert "the host (target.host or Host) is '" in reason
    assert f"the listener rule's condition is host-header {pattern}" in reason


@pytest.mark.parametrize(
    ("pattern", "value"), [("yes", "YES"), ("y*s", "yellows"), ("y?s", "yes")]
)
def test_header_taken(sent, pattern, value):
    """A header's name and value are taken whatever their case."""
    request = Request(headers={"x-tEST": value})

    assert "/" == sent(header(pattern), request=request)


def test_header_of_a_step_overrides(sent):
    """A step that says another value than the rule asks for is not sent."""
    request = Request(headers={"x-test": "no"})
    reason = sent(header("yes"), headers={"X-Test": "yes"}, request=request)

    assert "header X-Test is 'no'" in reason
    assert "the listener rule's condition is http-header" in reason


@pytest.mark.parametrize("field", ["query-string", "source-ip", "http-request-method"])
def test_cannot_be_held_to(sent, field):
    """A condition that can be neither met nor checked is refused by name."""
    assert f"condition {field} can neither be met nor checked" in sent(
        RuleCondition(field=field)
    )


@pytest.mark.parametrize("name", ["Host", "host", "HOST"])
def test_header_of_a_protocol_other_than_http(name):
    """A header in another case replaces the default and is checked by the rule."""
    place = leads_to(1, host="tea.example")("test")
    rule = replace(place.endpoint, conditions=(host("tea.example"),))
    place = replace(place, endpoint=rule)
    assert {"Host": "tea.example"} == dict(place.request("/", {})[1])
    right = place.request("/", {name: "tea.example"})[1]
    assert {name: "tea.example"} == dict(right)
    with raises(CannotMeasure, Code.HTTP_RULE):
        place.request("/", {name: "coffee.example"})
