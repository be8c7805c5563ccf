"""Which rule a request follows."""

import pytest

from hookgate_rehearsal.data_plane.http_message import RequestHead
from hookgate_rehearsal.data_plane.routing import Router, referenced_groups
from hookgate_rehearsal.data_plane.settings import (
    Condition,
    FixedResponse,
    Forward,
    ListenerRule,
    ListenerSettings,
    Protocol,
)

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


def _when(field, *values, **more):
    return Condition(field=field, values=values, **more)


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
        pytest.param(_when("host-header", "shop.example"), True, id="host"),
        pytest.param(_when("host-header", "*.example"), True, id="host *"),
        pytest.param(_when("host-header", "a", "sh?p.example"), True, id="host ?"),
        pytest.param(_when("host-header", "example"), False, id="other host"),
        pytest.param(_when("host-header", "shop-example"), False, id="dot is a dot"),
        pytest.param(_when("path-pattern", "/img/*"), True, id="path"),
        pytest.param(_when("path-pattern", "/img/tea.png"), False, id="path's case"),
        pytest.param(_when("path-pattern", "*big*"), False, id="path has no query"),
        pytest.param(_when("http-header", "yes", name="x-CANARY"), True, id="header"),
        pytest.param(_when("http-header", "*", name="X-Other"), False, id="no header"),
        pytest.param(_when("http-request-method", "GET", "PUT"), True, id="method"),
        pytest.param(_when("http-request-method", "get"), False, id="method's case"),
        pytest.param(
            _when("query-string", parameters=(("size", "small"),)), True, id="query"
        ),
        pytest.param(
            _when("query-string", parameters=((None, "b?g"),)),
            True,
            id="query, any key",
        ),
        pytest.param(
            _when("query-string", parameters=(("empty", ""),)), True, id="query, empty"
        ),
        pytest.param(
            _when("query-string", parameters=(("size", "huge"),)),
            False,
            id="other query",
        ),
        pytest.param(_when("source-ip", "10.0.0.0/8"), True, id="source"),
        pytest.param(_when("source-ip", "11.0.0.0/8"), False, id="other source"),
    ],
)
def test_condition(condition, expected):
    """A condition holds where ELB's would."""
    decision = router(condition).decide(REQUEST, "10.1.2.3", 0.0)

    assert (MET if expected else NOT_MET) == decision


def test_all_conditions():
    """A rule acts only where every condition holds."""
    both = router(_when("path-pattern", "/img/*"), _when("http-request-method", "PUT"))

    assert NOT_MET == both.decide(REQUEST, "10.1.2.3", 0.0)


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
