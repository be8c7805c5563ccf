"""The version is said once."""

from __future__ import annotations

import tomllib
from pathlib import Path

from hookgate.version import VERSION


def test_version_is_that_of_the_package():
    """What a request's User-Agent says is what is installed."""
    pyproject = Path(__file__).parents[2] / "pyproject.toml"
    assert tomllib.loads(pyproject.read_text("utf-8"))["project"]["version"] == VERSION
