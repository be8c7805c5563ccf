"""Fixtures that tests of more than one package use."""

import boto3
import pytest
from hypothesis import settings
from moto import mock_aws

# The same examples in every run; `pytest --hypothesis-profile=default` takes new ones.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")


def pytest_collection_modifyitems(items):
    """Start slow tests first, and keep tests that share a fixture together.

    With several workers (`-n`), a module's emulator would otherwise start in each, and
    a test of a minute that comes last would be waited for by all.
    """
    modules = {}
    for item in items:
        modules.setdefault(item.path, []).append(item)
    shared = {path for path, tests in modules.items() if any(map(_shares, tests))}
    timeouts = {path: max(map(_timeout, tests)) for path, tests in modules.items()}
    for path in shared:
        for item in modules[path]:
            item.add_marker(pytest.mark.xdist_group(str(path)))
    items.sort(key=lambda each: (-timeouts[each.path], each.path not in shared))


def _shares(item):
    """Whether a test uses a fixture of its module."""
    return any(
        found[-1].scope == "module"
        for found in item._fixtureinfo.name2fixturedefs.values()
    )


def _timeout(item):
    """The timeout of a test in seconds; 0 without one of its own."""
    marker = item.get_closest_marker("timeout")
    return marker.args[0] if marker else 0


@pytest.fixture(name="aws_environ")
def _aws_environ(monkeypatch):
    """Dummy credentials and a region, so that no test can reach a real account."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(name="mocked_aws")
def _mocked_aws(aws_environ):
    """Moto instead of AWS."""
    with mock_aws():
        boto3.setup_default_session()
        yield
