"""Calls to AWS by name, all pages of an answer, and refusals in plain words."""

import boto3
import pytest

from hookgate.aws.calls import AwsCalls, iam_action
from hookgate.errors import CannotMeasure


def test_pages(mocked_aws):
    """An answer of several pages comes whole."""
    ssm = boto3.client("ssm")
    for number in range(15):
        ssm.put_parameter(Name=f"/p/{number}", Value="v", Type="String")
    answer = AwsCalls()("ssm", "get_parameters_by_path", Path="/p")

    assert len(answer["Parameters"]) == 15


def test_one_client_a_service(mocked_aws):
    """A service's client is made once."""
    calls = AwsCalls()

    assert calls.client("ssm") is calls.client("ssm")


def test_refused(mocked_aws):
    """A refusal is told by permission, code and AWS's message."""
    with pytest.raises(CannotMeasure, match="codedeploy:GetDeployment was refused"):
        AwsCalls()("codedeploy", "get_deployment", deploymentId="d-1")


def test_unreachable(aws_environ, monkeypatch):
    """A service that cannot be reached says what to look for."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    with pytest.raises(CannotMeasure, match="VPC endpoint or NAT"):
        AwsCalls()("ssm", "get_parameter", Name="x")


@pytest.mark.parametrize(
    ("service", "action"),
    [
        ("elbv2", "elasticloadbalancing:DescribeRules"),
        ("ecs", "ecs:DescribeRules"),
    ],
)
def test_iam_action(service, action):
    """The permission is spelled as IAM spells it."""
    assert action == iam_action(service, "DescribeRules")


def test_only_reads():
    """A validator cannot change anything with the function's role."""
    with pytest.raises(CannotMeasure, match="ecs:DeleteService changes something"):
        AwsCalls()("ecs", "delete_service", service="x")


def test_wrong_parameters(mocked_aws):
    """A call that is wrong in itself is not taken for a missing route."""
    with pytest.raises(CannotMeasure, match="ssm:GetParameter could not be asked"):
        AwsCalls()("ssm", "get_parameter", Nothing="x")
