"""Strict YAML, and the place of everything in it."""

from __future__ import annotations

import pytest
from support.coded import raises

from hookgate.codes import Code
from hookgate.errors import Place, PlanError
from hookgate.yaml_reader import Document, parse


def document(text: str) -> Document:
    """Read a text that has nothing wrong with it."""
    parsed, problems = parse(text, "plan.yaml")
    assert not problems
    return parsed


def test_data_is_plain():
    """Mappings, lists and scalars come out as Python's own."""
    text = "a: {b: [1, 2.5, true, ~, x]}\nc: 'no'\n"
    assert {"a": {"b": [1, 2.5, True, None, "x"]}, "c": "no"} == document(text).data


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        pytest.param((), 1, 1, id="top"),
        pytest.param(("a",), 2, 3, id="block mapping"),
        pytest.param(("a", "b"), 2, 6, id="flow list"),
        pytest.param(("a", "b", 1), 2, 10, id="item"),
        pytest.param(("c",), 3, 4, id="scalar"),
        pytest.param(("c", "d", 7), 3, 4, id="nearest around"),
    ],
)
def test_place_of_a_value(path: tuple[str | int, ...], line: int, column: int):
    """Every value's line and column are known, counted from 1."""
    text = "a:\n  b: [é, x]\nc: 'no'\n"
    assert Place("plan.yaml", line, column) == document(text).value(path)


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        pytest.param(("a", "b"), 2, 3, id="key"),
        pytest.param(("a", "b", 0), 2, 7, id="item"),
    ],
)
def test_place_of_a_key(path: tuple[str | int, ...], line: int, column: int):
    """Every key's place is known; an item of a list has its value's."""
    text = "a:\n  b: [é, x]\n"
    assert Place("plan.yaml", line, column) == document(text).key(path)


def test_first_of_two_keys_counts():
    """What follows a duplicate key does not hide what is wrong elsewhere."""
    parsed, _ = parse("a: {x: 1}\na: {x: 2, y: 3}\n", "plan.yaml")
    assert {"a": {"x": 1}} == parsed.data


def test_value_of_a_duplicate_key_is_read_too():
    """A mistake below a duplicate key is told with it."""
    _, problems = parse("a: {x: 1}\na: {x: 2, x: 3}\n", "plan.yaml")
    assert ["plan.yaml:2:1", "plan.yaml:2:11"] == [
        str(each.place) for each in problems.error().problems
    ]


def test_same_key_in_two_mappings_is_no_duplicate():
    """Keys are unique within their mapping only."""
    assert {"a": {"x": 1}, "b": {"x": 2}} == document("a: {x: 1}\nb: {x: 2}\n").data


def test_quoted_merge_key_is_a_key():
    """In quotes, ``<<`` is a text like any other."""
    assert {"<<": 1} == document("'<<': 1\n").data


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_any_system(newline: str):
    """Lines are counted whatever ends them."""
    assert Place("plan.yaml", 2, 4) == document(f"a: 1{newline}b: 2").value(("b",))


def test_depth_is_bounded_at_thirty_two():
    """Thirty-two levels are read, and one more is not."""
    assert document("a: " + "[" * 31 + "]" * 31).data
    with raises(PlanError, Code.YAML_SIZE, "32"):
        parse("a: " + "[" * 32 + "]" * 32, "plan.yaml")


def test_nodes_are_bounded_at_ten_thousand():
    """Ten thousand keys and values are read, and one more is not."""
    assert document("a: [" + "1," * 9_997 + "]").data
    with raises(PlanError, Code.YAML_SIZE, "10000"):
        parse("a: [" + "1," * 9_998 + "]", "plan.yaml")


def test_what_was_wrong_before_the_end_is_told():
    """A plan that cannot be read on tells what was wrong so far, too."""
    with pytest.raises(PlanError) as refused:
        parse("a: &x 1\nb: [\n", "plan.yaml")
    assert 2 == len(refused.value.problems)
