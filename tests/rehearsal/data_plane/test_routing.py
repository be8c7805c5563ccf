"""Which rule a request follows."""

import pytest

from hookgate_rehearsal.data_plane import (
    FixedResponse,
    HostHeader,
    HttpHeader,
    HttpRequestMethod,
    ListenerRule,
    ListenerSettings,
    PathPattern,
    Protocol,
    QueryString,
    SourceIp,
)
from hookgate_rehearsal.data_plane.http_message import RequestHead
from hookgate_rehearsal.data_plane.routing import Router, referenced_groups
from hookgate_rehearsal.data_plane.settings import Forward

MET = FixedResponse(status=200)
NOT_MET = FixedResponse(status=404)


def router(*conditions):
    return Router(
        ListenerSettings(
            arn="listener",
            protocol=Protocol.HTTP,
            default_action=NOT_MET,
            rules=(ListenerRule(priority=1, conditions=conditions, action=MET),),
        ),
        {},
        None,
    )


REQUEST = RequestHead(
    method=b"GET",
    url=b"/img/Tea.png?size=big&empty=&size=small",
    headers=(
        (b"host", b"Host", b"Shop.Example:8080"),
        (b"x-canary", b"X-Canary", b"Yes"),
    ),
)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param(HostHeader(values=("shop.example",)), True, id="host"),
        pytest.param(HostHeader(values=("*.example",)), True, id="host *"),
        pytest.param(HostHeader(values=("a", "sh?p.example")), True, id="host ?"),
        pytest.param(HostHeader(values=("example",)), False, id="other host"),
        pytest.param(HostHeader(values=("shop-example",)), False, id="dot is a dot"),
        pytest.param(PathPattern(values=("/img/*",)), True, id="path"),
        pytest.param(PathPattern(values=("/img/tea.png",)), False, id="path's case"),
        pytest.param(PathPattern(values=("*big*",)), False, id="path has no query"),
        pytest.param(HttpHeader(name="x-CANARY", values=("yes",)), True, id="header"),
        pytest.param(HttpHeader(name="X-Other", values=("*",)), False, id="no header"),
        pytest.param(HttpRequestMethod(values=("GET", "PUT")), True, id="method"),
        pytest.param(HttpRequestMethod(values=("get",)), False, id="method's case"),
        pytest.param(QueryString(values=(("size", "small"),)), True, id="query"),
        pytest.param(QueryString(values=((None, "b?g"),)), True, id="query, any key"),
        pytest.param(QueryString(values=(("empty", ""),)), True, id="query, empty"),
        pytest.param(QueryString(values=(("size", "huge"),)), False, id="other query"),
        pytest.param(SourceIp(values=("10.0.0.0/8",)), True, id="source"),
        pytest.param(SourceIp(values=("11.0.0.0/8",)), False, id="other source"),
    ],
)
def test_condition(condition, expected):
    """A condition holds where ELB's would."""
    decision = router(condition).decide(REQUEST, "10.1.2.3")

    assert (MET if expected else NOT_MET) == decision


def test_all_conditions():
    """A rule acts only where every condition holds."""
    both = router(PathPattern(values=("/img/*",)), HttpRequestMethod(values=("PUT",)))

    assert NOT_MET == both.decide(REQUEST, "10.1.2.3")


def test_referenced_groups():
    """Every target group that an action names is referenced, weight 0 included."""
    settings = ListenerSettings(
        arn="listener",
        protocol=Protocol.HTTP,
        default_action=Forward(weights={"a": 1, "b": 0}),
        rules=(
            ListenerRule(priority=1, conditions=(), action=Forward(weights={"c": 0})),
            ListenerRule(priority=2, conditions=(), action=MET),
        ),
    )

    assert {"a", "b", "c"} == referenced_groups(settings)
