"""Which listeners of a deployment may be loaded."""

from __future__ import annotations

import pytest
from support.listeners import policy
from support.traffic import load, never, serving

from hookgate.context import Endpoint
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure
from hookgate.testing import a_context
from hookgate.traffic.lazy import LazyTraffic, no_blue


def traffic(context, no_test="", **more):
    examined = []
    return LazyTraffic(
        context=context,
        no_test=no_test,
        host=None,
        identity=None,
        examine=lambda: examined.append(True),
        deadline=Deadline.after(60),
        policy=policy(),
        **more,
    ), examined


def test_test_listener_is_loaded(listen):
    """The load goes to the test listener, after a look at what the identity proves."""
    listener = listen(serving())
    endpoint = Endpoint(scheme="http", address="127.0.0.1", port=listener.port)
    tool, examined = traffic(a_context(test=endpoint))
    assert 5 == tool(load(5), never).test.whole.samples
    assert [True] == examined


def test_test_listener_that_serves_blue():
    """Where the test listener does not serve the replacement, nothing is sent."""
    tool, _ = traffic(a_context("AfterInstall"), "it serves the original")
    with pytest.raises(CannotMeasure, match="traffic: it serves the original"):
        tool(load(5), never)


ONE = Endpoint(scheme="http", address="127.0.0.1", port=80)


@pytest.mark.parametrize(
    ("event", "changes", "why_not"),
    [
        pytest.param("AfterAllowTestTraffic", {}, "", id="before the shift"),
        pytest.param("BeforeAllowTraffic", {}, "", id="just before the shift"),
        pytest.param(
            "AfterAllowTraffic", {}, "there is no blue to compare with", id="after it"
        ),
        pytest.param(
            "AfterAllowTestTraffic",
            {"production": None},
            "has no production listener",
            id="none",
        ),
        pytest.param(
            "AfterAllowTestTraffic",
            {"production": ONE, "test": ONE},
            "test and production are one listener",
            id="one for both",
        ),
    ],
)
def test_blue(event, changes, why_not):
    """Production is a yardstick only while it serves the original."""
    told = no_blue(a_context(event, **changes))
    assert why_not in told
    assert bool(why_not) is bool(told)
