"""What is true of every validator that ships."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
from support.reference import NAMES, example_step

from hookgate.registry import resolve
from hookgate.validator import Validator

PLUGIN = Path(__file__).parent.parent.parent / "examples" / "hookgate-plugin"


@pytest.fixture(params=NAMES)
def name(request) -> str:
    return str(request.param)


@pytest.fixture
def validator(name) -> type[Validator]:
    return resolve(name)


def test_class_is_named_like_its_file(name, validator):
    """``target_health.py`` holds ``TargetHealth``."""
    assert validator.__name__ == name.title().replace("_", "")


def test_first_line_is_the_question(validator):
    """The docstring begins with the one question that is asked."""
    assert (inspect.getdoc(validator) or "").partition("\n")[0].endswith("?")


def test_every_option_is_described(validator):
    """Each option says what it is for."""
    assert [
        name for name, field in validator.model_fields.items() if not field.description
    ] == []


def test_example_builds(validator):
    """With its example's options it is built, and tells how long it may take."""
    options = example_step(validator).get("with", {})
    assert validator.model_validate(options).worst_case() > 0


def test_schema_is_made(validator):
    """Every option has a JSON schema."""
    properties = validator.model_json_schema()["properties"]
    assert all("description" in each for each in properties.values())


def test_plugin_imports_only_the_public_api():
    """The plugin among the examples needs only hookgate and hookgate.testing."""
    used = {
        module
        for file in PLUGIN.rglob("*.py")
        for module in imported(file.read_text("utf-8"))
        if module.partition(".")[0] == "hookgate"
    }
    assert used == {"hookgate", "hookgate.testing"}


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("from hookgate import Finding", {"hookgate"}),
        ("from hookgate.errors import NoData", {"hookgate.errors"}),
        ("def f():\n    import hookgate.runtime", {"hookgate.runtime"}),
    ],
)
def test_imports_are_found(source, modules):
    """Every form of import is seen, wherever it stands."""
    assert modules == imported(source)


def imported(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found.update(each.name for each in node.names)
    return found
