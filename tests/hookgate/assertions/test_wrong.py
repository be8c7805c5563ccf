"""For every word of the grammar one wrong value, with its code and message."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from hookgate.assertions import assertion, filters, queries
from hookgate.plan.options import build
from hookgate.registry import resolve

ROWS = yaml.safe_load(Path(__file__).with_name("wrong.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    "row", [pytest.param(each, id=f"{each['of']}: {each['says']}") for each in ROWS]
)
def test_wrong(row):
    """It is refused when the plan is read, with a code and what to write."""
    faults = build(resolve("http"), {"expect": [row["entry"]]})
    assert isinstance(faults, tuple), "it was taken"
    found = [each.code for each in faults if row["says"] in each.what]
    assert [row["code"]] == found, faults


def test_no_word_is_missing():
    """Every query, predicate and filter that there is has a row."""
    words = {*queries.QUERIES, *assertion.NAMES, "attribute", "filter"}
    words |= {f"filter {name}" for name in filters.FILTERS}
    assert words == {each["of"] for each in ROWS}
