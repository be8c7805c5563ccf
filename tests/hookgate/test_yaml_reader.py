"""Strict YAML, and the place of everything in it."""

from __future__ import annotations

import json

import pytest
from support.coded import raises

from hookgate.codes import Code
from hookgate.errors import Place, PlanError
from hookgate.yaml_reader import PLAN, Dialect, Document, load, parse


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
    """A mistake below a duplicate key is reported with it."""
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


def test_earlier_problems_are_reported():
    """A plan that cannot be read on has the earlier problems, too."""
    with pytest.raises(PlanError) as refused:
        parse("a: &x 1\nb: [\n", "plan.yaml")
    assert 2 == len(refused.value.problems)


ALIASES = Dialect(aliases=True, most_nodes=100, deepest=10)


def test_alias_stands_for_its_value():
    """An alias is the value of its anchor; keys of a mapping precede merged ones."""
    text = "a: &a {x: 1, y: &y [2]}\nb: {<<: *a, x: 3, z: *y}\nc: *a"
    expected = {"x": 1, "y": [2]}
    assert {
        "a": expected,
        "b": {"x": 3, "z": [2], "y": [2]},
        "c": expected,
    } == load(text, "a.yaml", ALIASES).data


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(
            "a0: &a0 [x, x, x]\n"
            + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 9)),
            Code.YAML_SIZE,
            id="bomb of aliases",
        ),
        pytest.param(
            "a0: &a0 {k0: 1}\n"
            + "".join(
                f"a{n}: &a{n} {{<<: *a{n - 1}, k{n}: {{<<: *a{n - 1}}}}}\n"
                for n in range(1, 60)
            ),
            Code.YAML_SIZE,
            id="bomb of merge keys",
        ),
        pytest.param(
            "a0: &a0 [[[[x]]]]\na1: &a1 [[[*a0]]]\na2: [[[*a1]]]",
            Code.YAML_SIZE,
            id="depth",
        ),
        pytest.param("a: &a [*a]", Code.YAML_SYNTAX, id="alias of itself"),
        pytest.param("a: &a {<<: *a}", Code.YAML_SYNTAX, id="merge of itself"),
        pytest.param("a: *b", Code.YAML_SYNTAX, id="no anchor"),
        pytest.param("a: &a [x]\nb: {<<: *a}", Code.YAML_FEATURE, id="merge of a list"),
        pytest.param("a: {<<: {b: 1}}", Code.YAML_FEATURE, id="merge without alias"),
    ],
)
def test_aliases_are_bounded(text, code):
    """Aliases and merge keys count as what they stand for, so they cannot grow."""
    with raises(PlanError, code):
        load(text, "a.yaml", ALIASES)


@pytest.mark.parametrize("text", ["a: *b", "a: &b 1", "a: {<<: {b: 1}}", "a: !b 1"])
def test_plan_has_no_alias_and_no_tag(text):
    """A plan contains no anchor, alias, merge key or tag."""
    with raises(PlanError, Code.YAML_FEATURE):
        load(text, "plan.yaml", PLAN)


def test_tag_is_a_function():
    """A tag is read as a mapping of one key; the places below it are known."""
    dialect = Dialect(function=lambda tag: f"Fn::{tag}")
    read = load("a: !Join ['', [!Ref 01, b]]\nc: !Ref d", "t.yaml", dialect)
    join = {"Fn::Join": ["", [{"Fn::Ref": "01"}, "b"]]}
    assert {"a": join, "c": {"Fn::Ref": "d"}} == read.data
    assert Place("t.yaml", 1, 25) == read.value(("a", "Fn::Join", 1, 1))


def test_key_may_be_a_number_in_a_dialect():
    """A status without quotes is a key where the dialect allows it, but only once."""
    dialect = Dialect(text_keys=True)
    assert {"200": 1, "true": 2} == load("200: 1\ntrue: 2", "a.yaml", dialect).data
    with raises(PlanError, Code.YAML_DUPLICATE_KEY):
        load("200: 1\n'200': 2", "a.yaml", dialect)


def test_json_is_read():
    """JSON may be indented by tabs and escape what YAML escapes otherwise."""
    data = {"a": {"b": "tea \U0001f375 / \\ud83d\\udf75 é \n"}, "c": [1.5, None, True]}
    for text in (json.dumps(data, indent="\t"), json.dumps(data, separators=",:")):
        escaped = text.replace("/", r"\/")
        assert data == load(escaped, "a.json", Dialect(json=True)).data


def test_size_is_of_the_dialect():
    """Each dialect has its own maximum size."""
    with raises(PlanError, Code.FILE_SIZE):
        load("a: bcd", "a.yaml", Dialect(most_bytes=5))
