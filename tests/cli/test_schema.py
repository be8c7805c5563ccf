"""The JSON Schema of a plan agrees with the reader of plans."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from support.command import ROOT

from hookgate.errors import PlanError
from hookgate.plan import read_plan
from hookgate.registry import names, resolve
from hookgate.yaml_reader import parse
from hookgate_cli.main import hookgate, run
from hookgate_cli.schema import options_schema, plan_schema


def _is_read(file: Path) -> bool:
    try:
        return bool(read_plan(file.read_bytes(), file.name, resolve).events)
    except PlanError:
        return False


# Some plans of the gallery use validators that only its own tests have.
PLANS = [
    file
    for folder in ("examples", "hooks/plans", "tests/plans/valid")
    for file in sorted((ROOT / folder).rglob("*.yaml"))
    if _is_read(file)
]


@pytest.fixture(scope="module", name="validator")
def _validator():
    return Draft202012Validator(plan_schema())


def test_schema_is_one():
    """It is valid JSON Schema 2020-12."""
    assert None is Draft202012Validator.check_schema(plan_schema())


@pytest.mark.parametrize("file", PLANS, ids=lambda file: file.stem)
def test_plan_that_is_read_is_valid(file, validator):
    """An editor marks nothing in a plan that Hookgate reads."""
    document, _ = parse(file.read_bytes(), file.name)
    assert [] == [each.message for each in validator.iter_errors(document.data)]


def test_examples_are_among_the_plans():
    """The plans above are those a person would start from."""
    assert {"plan", "default", "placeholders"} <= {file.stem for file in PLANS}


@pytest.mark.parametrize(
    "step",
    [
        pytest.param({"use": "htp"}, id="unknown validator"),
        pytest.param({"use": "http", "wiht": {}}, id="unknown key"),
        pytest.param({"use": "http", "with": {"pth": "/"}}, id="unknown option"),
        pytest.param({"use": "http", "with": {"within": 5}}, id="no unit"),
    ],
)
def test_wrong_step_is_not_valid(step, validator):
    """An editor marks what Hookgate would refuse."""
    plan = {"version": 1, "events": {"AfterAllowTestTraffic": [step]}}
    assert not validator.is_valid(plan)


def test_defaults_have_their_units():
    """A default is written as a plan would write it."""
    options = plan_schema()["$defs"]["http"]["properties"]
    shown = [options[each]["default"] for each in ("within", "timeout", "max_body")]
    assert ["0s", "10s", "1MiB"] == shown


@pytest.mark.parametrize("name", names())
def test_defaults_are_valid(name):
    """A plan may state each default, as the schema has it."""
    schema = options_schema(resolve(name))
    for option in schema["properties"].values():
        if option.get("default") is not None:
            whole = {**option, "$defs": schema.get("$defs", {})}
            Draft202012Validator(whole).validate(option["default"])


def test_patterns_are_those_of_javascript():
    """JavaScript, in which editors are written, ends a text with ``$`` only."""
    assert r"\\Z" not in json.dumps(plan_schema())


def test_command_prints_the_schema(capsys):
    """Standard output is the schema alone."""
    assert 0 == run(hookgate, ["schema"])
    assert plan_schema() == json.loads(capsys.readouterr().out)


def test_plan_with_files_is_valid(validator):
    """An editor takes a plan that names files, before they are read."""
    text = """version: 1
events:
  AfterAllowTestTraffic:
    - use: scenario
      with:
        steps:
          - {include: login.yaml}
          - {for_each: {file: users.csv}, steps: [{path: "/{{row.id}}"}]}
          - {path: /, multipart: [{name: a, file: a.png}]}
          - {path: /, query: {a: [1, b], c: true}}
"""
    assert [] == [
        each.message for each in validator.iter_errors(parse(text, "p")[0].data)
    ]
