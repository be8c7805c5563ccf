"""Every filter with every kind of value, cell by cell, and what each makes."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from hookgate.assertions.assertion import MOST_FILTERS, Predicate
from hookgate.assertions.filters import FILTERS, LARGEST, step
from hookgate.assertions.queries import (
    Kind,
    Missing,
    Octets,
    Seconds,
    Unreadable,
    kind_of,
    same,
)
from hookgate.units import duration, size

TABLE = yaml.safe_load(Path(__file__).with_name("filters.yaml").read_text("utf-8"))


def value(written: Any) -> Any:
    """A value as the table writes it."""
    if isinstance(written, dict) and len(written) == 1:
        kind, text = next(iter(written.items()))
        made = {
            "hex": bytes.fromhex,
            "date": datetime.fromisoformat,
            "duration": lambda text: Seconds(duration(text)),
            "size": lambda text: Octets(size(text)),
            "number": float,
            "missing": Missing,
        }
        return made[kind](text) if kind in made else written
    return written


def name_of(written: Any) -> str:
    return written if isinstance(written, str) else next(iter(written))


CELLS = [
    pytest.param(row, kind, id=f"{name_of(row['filter'])}: {kind}")
    for row in TABLE["filters"]
    for kind in TABLE["values"]
]


@pytest.mark.parametrize(("row", "kind"), CELLS)
def test_cell(row, kind):
    """A filter makes of each kind of value what its cell says, or says why not."""
    result = step(row["filter"])(value(TABLE["values"][kind]))
    if kind in row["refuses"]:
        assert isinstance(result, Unreadable)
        return
    wanted = row["gives"][kind]
    if isinstance(wanted, dict) and "type" in wanted:
        assert wanted["type"] == kind_of(result)
    else:
        assert same(value(wanted), result)


def test_no_cell_is_missing():
    """Every filter stands in the table, with every kind of value exactly once."""
    assert set(FILTERS) == {name_of(row["filter"]) for row in TABLE["filters"]}
    kinds = set(map(str, Kind))
    assert kinds <= set(TABLE["values"])
    for row in TABLE["filters"]:
        cells = [*row["gives"], *row["refuses"]]
        assert sorted(TABLE["values"]) == sorted(cells), row["filter"]


def test_what_is_known_before_is_true_after():
    """What a filter is written to give is what it gave."""
    for row in TABLE["filters"]:
        gives = FILTERS[name_of(row["filter"])].gives
        for kind in row["gives"]:
            result = step(row["filter"])(value(TABLE["values"][kind]))
            if gives is not None and not isinstance(result, Missing):
                assert gives == kind_of(result)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("none", [Missing("tea"), Unreadable("no tea")])
def test_what_is_not_there_stays_so(name, none):
    """No filter makes something of what is missing or cannot be read."""
    row = next(each for each in TABLE["filters"] if name_of(each["filter"]) == name)
    assert none == step(row["filter"])(none)


@pytest.mark.parametrize(
    "row", [pytest.param(each, id=str(each["filter"])) for each in TABLE["examples"]]
)
def test_example(row):
    """A chain of filters gives what the table says, or says what stopped it."""
    result = value(row["of"])
    for each in row["filter"]:
        result = step(each)(result)
    if "unreadable" in row:
        assert isinstance(result, Unreadable)
        assert row["unreadable"] in result.why
    else:
        assert same(value(row["gives"]), result)


def test_days_from_now():
    """Days are counted from now, below zero into the past."""
    days = [
        step("days_from_now")(datetime.now(UTC) + timedelta(days=each))
        for each in (30, -30)
    ]
    assert [pytest.approx(30, abs=0.01), pytest.approx(-30, abs=0.01)] == days


WRONG = [
    pytest.param(["lowr"], "unknown filter 'lowr'; did you mean 'lower'", id="unknown"),
    pytest.param([{"lower": 1}], "lower takes no argument; write it alone", id="given"),
    pytest.param(["split"], "split needs a text; write {split: …}", id="not given"),
    pytest.param([{"split": ""}], "split: the separator is empty", id="empty"),
    pytest.param([{"split": 1}], "split: expected text", id="number as text"),
    pytest.param([{"nth": "1"}], "nth: expected a whole number", id="text as number"),
    pytest.param([{"nth": True}], "nth: expected a whole number", id="true as number"),
    pytest.param([{"join": None}], "join: expected text", id="null"),
    pytest.param([{"replace": "a"}], 'write {text: "a", with: "b"}', id="replace"),
    pytest.param(
        [{"replace": {"text": "a", "matches": "a", "with": "b"}}],
        "write {text",
        id="replace both",
    ),
    pytest.param(
        [{"replace": {"matches": "(", "with": ""}}], "not a regular", id="replace RE"
    ),
    pytest.param([{"regex": "("}], "regex: '\\(' is not a regular", id="regex"),
    pytest.param([{"hash": "crc"}], "hash: 'crc' is not one of md5", id="hash"),
    pytest.param([{"query_parameter": 1}], "expected text", id="query_parameter"),
    pytest.param([{"to_date": ""}], "to_date: '' is not a date format", id="to_date"),
    pytest.param([{"jsonpath": "a"}], "is not a JSON path", id="jsonpath"),
    pytest.param([{"xpath": "//"}], "is not an XPath expression", id="xpath"),
    pytest.param([{"css": "a["}], "is not a CSS selector", id="css"),
    pytest.param([{"a": 1, "b": 2}], "its name, or one key", id="two keys"),
    pytest.param([5], "its name, or one key", id="no filter"),
    pytest.param("lower", "valid tuple", id="no list"),
    pytest.param([], "at least 1 item", id="no filter at all"),
    pytest.param(
        ["lower"] * (MOST_FILTERS + 1), f"at most {MOST_FILTERS} items", id="too many"
    ),
    pytest.param(["lower", "first"], "first takes an array, but lower", id="kinds"),
    pytest.param(
        ["to_number", {"split": ","}], "split takes a string, but to_number", id="chain"
    ),
]


@pytest.mark.parametrize(("chain", "message"), WRONG)
def test_wrong_filter(chain, message):
    """A wrong filter is refused when the plan is read, with what to do."""
    with pytest.raises((ValidationError, ValueError), match=message):
        Predicate.model_validate({"filter": chain, "equals": 1}).compiled(None)


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param({"replace": {"text": "a", "with": "b" * 1000}}, id="text"),
        pytest.param({"replace": {"matches": "a", "with": "b" * 1000}}, id="pattern"),
    ],
)
def test_growth_is_bounded(bomb):
    """A text that would grow too large is a finding instead."""
    result = step(bomb)("a" * 100_000)
    assert isinstance(result, Unreadable)
    assert str(LARGEST) in result.why


def test_surrogate_is_searched():
    """Half a surrogate pair, as JSON may bring it, does not stop a pattern."""
    text = step({"jsonpath": "$.a"})('{"a": "\\ud800tea"}')
    assert "tea" == step({"regex": "t.*"})(text)


def test_nan_has_no_order():
    """NaN among numbers cannot be sorted."""
    assert isinstance(step("sort")([1.0, math.nan]), Unreadable)
