"""When the production listener is a baseline."""

from __future__ import annotations

import pytest

from hookgate.context import Endpoint
from hookgate.testing import a_context
from hookgate.traffic.tool import no_baseline

ONE = Endpoint(scheme="http", address="127.0.0.1", port=80)


@pytest.mark.parametrize(
    ("event", "changes", "is_baseline"),
    [
        pytest.param("AfterAllowTestTraffic", {}, True, id="before the shift"),
        pytest.param("BeforeAllowTraffic", {}, True, id="just before the shift"),
        pytest.param("AfterAllowTraffic", {}, False, id="after the shift"),
        pytest.param(
            "AfterAllowTestTraffic", {"production": None}, False, id="no listener"
        ),
        pytest.param(
            "AfterAllowTestTraffic",
            {"production": ONE, "test": ONE},
            False,
            id="one listener for both",
        ),
    ],
)
def test_baseline(event, changes, is_baseline):
    """Production is a baseline only while it serves the original."""
    assert is_baseline is (no_baseline(a_context(event, **changes)) == "")
