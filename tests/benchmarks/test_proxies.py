"""What a machine must have before the listener is measured."""

import pytest

from benchmarks.figures import NotMeasured
from benchmarks.proxies import PACKAGES, need


def test_a_missing_program_is_reported_with_its_package(monkeypatch):
    """The error says which package to install."""
    monkeypatch.setitem(PACKAGES, "no-such-proxy", "its-package")

    with pytest.raises(NotMeasured, match="apt-get install its-package"):
        need(["no-such-proxy"])
