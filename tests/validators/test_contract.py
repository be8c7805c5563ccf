"""What is true of every validator that ships."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from support.reference import NAMES, example_step

import validators
from hookgate.registry import resolve
from hookgate.validator import Validator

ROOT = Path(validators.__file__).parent


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


def test_imports_only_public_names(name):
    """A validator needs nothing that a third party's could not have."""
    source = (ROOT / f"{name}.py").read_text("utf-8")
    assert "from hookgate." not in source
    assert "import hookgate." not in source
