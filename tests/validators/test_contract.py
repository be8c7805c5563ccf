"""What is true of every validator that ships."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import yaml

import validators
from hookgate.registry import resolve
from hookgate.validator import Validator

ROOT = Path(validators.__file__).parent
NAMES = sorted(each.stem for each in ROOT.glob("*.py") if each.stem != "__init__")


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


def test_defaults_build(validator):
    """Without options it is built, or says which it needs."""
    required = [n for n, field in validator.model_fields.items() if field.is_required()]
    assert required == []
    assert validator().worst_case() > 0


def test_schema_is_made(validator):
    """Every option has a JSON schema."""
    properties = validator.model_json_schema()["properties"]
    assert all("description" in each for each in properties.values())


def test_imports_only_public_names(name):
    """A validator needs nothing that a third party's could not have."""
    source = (ROOT / f"{name}.py").read_text("utf-8")
    assert "from hookgate." not in source
    assert "import hookgate." not in source


def test_case_table_has_a_passing_and_a_failing_row(name):
    """The good passes, and the bad is refused."""
    path = Path(__file__).parent / "cases" / f"{name}.yaml"
    rows = yaml.safe_load(path.read_text("utf-8"))
    outcomes = {
        all(each["ok"] for each in row["finds"]) for row in rows if "finds" in row
    }
    assert outcomes == {True, False}
