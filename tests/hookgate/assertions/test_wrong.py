"""For every word of the grammar one wrong value, and the message."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from hookgate.assertions import filters, predicates, queries
from hookgate.plan.options import build
from hookgate.registry import resolve

ROWS = yaml.safe_load(Path(__file__).with_name("wrong.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    "row", [pytest.param(each, id=f"{each['of']}: {each['says']}") for each in ROWS]
)
def test_wrong(row):
    """It is refused when the plan is read, in words that say what to write."""
    faults = build(resolve("http"), {"expect": [row["entry"]]})
    assert isinstance(faults, tuple), "it was taken"
    assert any(row["says"] in each.what for each in faults), faults


def test_no_word_is_missing():
    """Every query, predicate and filter that there is has a row."""
    words = {*queries.QUERIES, *predicates.NAMES, "attribute", "filter"}
    words |= {f"filter {name}" for name in filters.FILTERS}
    assert words == {each["of"] for each in ROWS}
