"""The version of Hookgate."""

from importlib.metadata import version

from hookgate.version import VERSION


def test_version_is_that_of_the_package():
    """The version in a request's User-Agent is the installed version."""
    assert version("hookgate") == VERSION
