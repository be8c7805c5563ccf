"""The public API is the names of docs/api.md, and no other."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest

import hookgate
import hookgate.testing

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
_NAMES = """
    AccessDenied AppSpec Assertion Auth CannotMeasure Container DeploymentContext
    Duration Endpoint File Finding Image Inconclusive LifecycleEvent Metric NoAnswer
    NoData NotFound NumberBound Pattern Percentage Rate Reply Request SecretText Side
    Size Statuses TaskDefinition Tls Tools Trust Validator hook known
"""
PUBLIC = _NAMES.split()


def test_exported_names():
    """The package exports these names, at most 35, and all of them exist."""
    assert sorted(hookgate.__all__) == sorted(PUBLIC)
    assert len(PUBLIC) <= 35
    assert all(getattr(hookgate, name) is not None for name in PUBLIC)


def test_other_names_are_not_exported():
    """A name that is not public cannot be read from the package."""
    with pytest.raises(AttributeError, match="SecretLair"):
        hookgate.SecretLair  # noqa: B018 - reading it is the test


@pytest.mark.parametrize("module", [hookgate, hookgate.testing])
def test_page_has_every_name(module):
    """The page has each public name in the first cell of a table."""
    cells = "".join(re.findall(r"^\|([^|]+)\|", PAGE, re.MULTILINE))
    assert set(module.__all__) - set(re.findall(r"`(\w+)`", cells)) == set()


def test_examples_of_the_page(tmp_path, monkeypatch):
    """The examples run, and the test among them passes."""
    blocks = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)
    (tmp_path / "examples_of_the_page.py").write_text("\n".join(blocks))
    monkeypatch.syspath_prepend(tmp_path)
    import_module("examples_of_the_page").test_release_notes()


@pytest.mark.parametrize("package", ["hookgate", "hookgate_validators"])
def test_packages_are_typed(package):
    """Type checkers read the annotations of the installed packages (PEP 561)."""
    assert files(package).joinpath("py.typed").is_file()
