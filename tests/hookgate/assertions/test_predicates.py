"""Every query with every predicate, cell by cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from support.answers import answer

from hookgate.assertions.assertion import NAMES, Assertion
from hookgate.assertions.queries import FIELDS, QUERIES, WITHOUT_ARGUMENT

ROWS = yaml.safe_load(Path(__file__).with_name("predicates.yaml").read_text("utf-8"))
STATES = yaml.safe_load(Path(__file__).with_name("states.yaml").read_text("utf-8"))
CELLS = [
    pytest.param(row, name, cell, id=f"{row['case']}: {name}")
    for row in ROWS
    for name, cell in row["cells"].items()
]
# One argument for each predicate, of which each can be written for any JSON value.
ARGUMENTS: dict[str, Any] = {
    "equals": "tea",
    "differs": "coffee",
    "above": 1,
    "below": 9,
    "at_least": 1,
    "at_most": 9,
    "between": [1, 9],
    "contains": "a",
    "starts": "a",
    "ends": "a",
    "matches": "",
    "one_of": ["tea", 5],
    "exists": True,
    "is_null": False,
    "is_empty": False,
    "has_type": "string",
    "has_length": 3,
    "each": {"differs": 1},
    "any": {"differs": 1},
    "not": {"equals": "coffee"},
}


def entry(query: Any, name: str, argument: Any) -> Any:
    predicate = {name: argument}
    return {query: predicate} if isinstance(query, str) else {**query, **predicate}


def passes(row: dict[str, Any], predicate: str, argument: Any) -> bool:
    assertion = Assertion.model_validate(entry(row["query"], predicate, argument))
    return assertion.finding(answer(row["reply"])).ok


@pytest.mark.parametrize(("row", "name", "cell"), CELLS)
def test_cell(row, name, cell):
    """A predicate passes, fails, never applies, or is refused, as its cell has it."""
    if "refused" in cell:
        with pytest.raises(ValidationError, match=f"{name} takes .*, not"):
            passes(row, name, cell["refused"])
        return
    actual = {
        word: (passes(row, name, each), passes(row, "not", {name: each}))
        for word, each in cell.items()
    }
    wanted = {"passes": (True, False), "fails": (False, True), "never": (False, False)}
    assert {word: wanted[word] for word in cell} == actual


def test_no_cell_is_missing():
    """Every query there is stands in the table, with every predicate there is."""
    asked = {
        row["query"] if isinstance(row["query"], str) else next(iter(row["query"]))
        for row in ROWS
    }
    fields = {
        row["query"].get("certificate")
        for row in ROWS
        if isinstance(row["query"], dict)
    }
    assert set(QUERIES) == asked
    assert set(FIELDS) <= fields
    assert [set(NAMES)] * len(ROWS) == [set(row["cells"]) for row in ROWS]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "state", [pytest.param(each, id=each["case"]) for each in STATES]
)
def test_state(state, name):
    """NaN, null, empty, missing and unreadable satisfy only what their row lists."""
    try:
        actual = passes(state, name, ARGUMENTS[name])
    except ValidationError:
        actual = False
    assert (name in state["passes"]) is actual


@pytest.mark.parametrize(
    "state", [pytest.param(each, id=each["case"]) for each in STATES]
)
def test_state_has_its_words(state):
    """Each state has words of its own, and only a missing value is missing."""
    entries = entry(state["query"], "exists", False)
    finding = Assertion.model_validate(entries).finding(answer(state["reply"]))
    assert state.get("missing", False) is finding.ok
    assert f"got {state['actual']}" in finding.summary


def test_every_query_can_be_written():
    """The fields of an entry are the queries and predicates of the tables."""
    schema = Assertion.model_json_schema(by_alias=True)["properties"]
    assert {*QUERIES, *NAMES, "filter", "attribute"} == set(schema)
    assert all(schema[name]["$ref"].endswith("/Predicate") for name in WITHOUT_ARGUMENT)
