"""Tests check Hookgate's errors by their codes and values, not by their prose."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookgate.errors import HookgateError, InvalidValue

TESTS = Path(__file__).parent


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("pytest.raises(CannotMeasure, match='x')", [2]),
        ("pytest.raises((KeyError, InvalidValue), match='x')", [2]),
        ("pytest.raises(CannotMeasure)", []),
        ("pytest.raises(KeyError, match='x')", []),
    ],
)
def test_matches_are_found(source, found):
    """Only a match of the message of an error that has a code is found."""
    imports = "from hookgate.errors import CannotMeasure, InvalidValue\n"
    assert found == list(matches(imports + source))


def test_no_test_matches_prose():
    """``support.coded.raises`` takes the code and the values that are named."""
    assert [
        f"{file.relative_to(TESTS)}:{line}"
        for file in sorted(TESTS.rglob("test_*.py"))
        if "match=" in (text := file.read_text("utf-8"))
        for line in matches(text)
    ] == []


def matches(source: str) -> Iterator[int]:
    """The lines at which the message of an error with a code is matched."""
    tree = ast.parse(source)
    coded = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
        if name.name[0].isupper() and has_code(node.module, name.name)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) == "pytest.raises"
            and any(each.arg == "match" for each in node.keywords)
            and coded & {getattr(each, "id", "") for each in ast.walk(node.args[0])}
        ):
            yield node.lineno


def has_code(module: str, name: str) -> bool:
    """Whether a name is imported from the project and is an error with a code."""
    if not module.startswith("hookgate"):
        return False
    found = getattr(importlib.import_module(module), name, None)
    return isinstance(found, type) and issubclass(found, HookgateError | InvalidValue)
