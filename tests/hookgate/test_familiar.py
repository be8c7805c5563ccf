"""Words of other tools lead to the plan's own."""

from __future__ import annotations

import pytest

from hookgate.errors import closest
from hookgate.plan.options import build
from hookgate.registry import resolve


@pytest.mark.parametrize(
    ("entry", "meant"),
    [
        pytest.param({"jsonpath": "$.a", "eq": 1}, "equals", id="Argo"),
        pytest.param({"status": {"greater": 1}}, "above", id="greater"),
        pytest.param({"ip": {"equals": "::1"}}, "peer", id="Hurl"),
        pytest.param({"response_time": {"below": "1s"}}, "duration", id="Gatus"),
    ],
)
def test_assertion(entry, meant):
    """A query or predicate with another tool's name gets a suggestion."""
    faults = build(resolve("http"), {"expect": [entry]})
    assert any(f"did you mean {meant!r}?" in each.what for each in faults), faults


@pytest.mark.parametrize(
    ("option", "meant"),
    [
        ("follow_redirects", "follow"),
        ("tls_config", "tls"),
        ("encryption", "tls"),
        ("retry", "within"),
    ],
)
def test_option(option, meant):
    """So is an option of blackbox_exporter or Hurl."""
    faults = build(resolve("http"), {option: 1})
    assert any(f"did you mean {meant!r}?" in each.what for each in faults), faults


def test_a_word_that_is_known_nowhere():
    """An unknown word, and a word that is not available, is not suggested."""
    assert closest("surprise", ("equals", "below")) is None
    assert closest("eq", ("below",)) is None
