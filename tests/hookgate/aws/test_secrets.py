"""Secrets are read by reference, from below the prefix that the stack sets."""

import boto3
import pytest
from support.coded import raises

from hookgate.aws.calls import AwsCalls
from hookgate.aws.secrets import SecretReader
from hookgate.codes import Code
from hookgate.errors import CannotMeasure


@pytest.fixture(name="read")
def _read(mocked_aws):
    client = boto3.client("secretsmanager")
    client.create_secret(Name="hookgate/token", SecretString="s3cret")
    client.create_secret(Name="hookgate/blob", SecretBinary=b"\0")
    return SecretReader(AwsCalls(), "hookgate/")


def test_read(read):
    """The value is that of the secret whose name follows the prefix."""
    assert read("token") == "s3cret"


def test_missing(read):
    """A secret that does not exist is an error without a value."""
    with raises(CannotMeasure, Code.AWS_REFUSED, "ResourceNotFoundException"):
        read("nothing")


def test_binary(read):
    """A secret without text cannot go into a plan."""
    with raises(CannotMeasure, Code.SECRET):
        read("blob")


def test_off():
    """Without a prefix no plan may name a secret; the parameter to set is named."""
    with raises(CannotMeasure, Code.SECRET, "SecretPrefix"):
        SecretReader(AwsCalls(), "")("token")
