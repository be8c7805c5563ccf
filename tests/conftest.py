"""Fixtures that tests of more than one room use."""

import boto3
import pytest
from hypothesis import settings
from moto import mock_aws

# The same examples in every run; `pytest --hypothesis-profile=default` takes new ones.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")


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
    """Moto in the place of AWS."""
    with mock_aws():
        boto3.setup_default_session()
        yield
