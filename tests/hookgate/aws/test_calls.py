"""Calls to AWS by name, all pages of an answer, and refusals in plain words."""

import json
from pathlib import Path

import boto3
import botocore
import pytest
from support.coded import raises

from hookgate.aws.calls import AwsCalls, has_more, iam_action
from hookgate.codes import Code
from hookgate.errors import CannotMeasure, NotFound


def test_pages(mocked_aws):
    """An answer of several pages comes whole."""
    ssm = boto3.client("ssm")
    for number in range(15):
        ssm.put_parameter(Name=f"/p/{number}", Value="v", Type="String")
    answer = AwsCalls()("ssm", "get_parameters_by_path", Path="/p")

    assert len(answer["Parameters"]) == 15


def test_every_sign_of_a_further_page_is_seen():
    """Whatever sign botocore knows for an operation that has pages counts as one."""
    data = Path(botocore.__file__).parent / "data"
    unseen = {
        (file.parent.parent.name, operation)
        for file in data.glob("*/*/paginators-1.json")
        for operation, pages in json.loads(file.read_text())["pagination"].items()
        if not has_more(_answer_with(pages))
    }

    assert unseen == set()


@pytest.mark.parametrize("sign", [None, "", False])
def test_an_empty_sign_is_none(sign):
    """A token that is empty says that there is no further page."""
    assert has_more({"NextToken": sign, "Parameters": [1]}) is False


def _answer_with(pages):
    """The least of an answer that says there is more, as a paginator describes it."""
    tokens = pages["output_token"]
    signs = [tokens] if isinstance(tokens, str) else [*tokens]
    answer: dict = {}
    for token in [*signs, pages.get("more_results", "")]:
        *above, key = token.split(" ||")[0].split(".")
        part = answer
        for each in above:
            part = part.setdefault(each, {})
        part[key] = "more"
    return answer


def test_one_client_a_service(mocked_aws):
    """A service's client is made once."""
    calls = AwsCalls()

    assert calls.client("ssm") is calls.client("ssm")


def test_refused(mocked_aws):
    """A refused call is described by permission, code and AWS's message."""
    with raises(CannotMeasure, Code.AWS_REFUSED, "codedeploy:GetDeployment"):
        AwsCalls()("codedeploy", "get_deployment", deploymentId="d-1")


def test_unreachable(aws_environ, monkeypatch):
    """A service that cannot be reached says what to look for."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    with raises(CannotMeasure, Code.AWS_UNREACHABLE):
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
    with raises(CannotMeasure, Code.AWS_WRITE, "ecs:DeleteService"):
        AwsCalls()("ecs", "delete_service", service="x")


def test_wrong_parameters(mocked_aws):
    """A call that is wrong in itself is not taken for a missing route."""
    with raises(CannotMeasure, Code.AWS_UNREACHABLE, "ssm:GetParameter"):
        AwsCalls()("ssm", "get_parameter", Nothing="x")


def test_a_function_may_be_asked(aws_environ, monkeypatch):
    """Invoking a function is allowed; here the endpoint does not respond."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    with raises(CannotMeasure, Code.AWS_UNREACHABLE, "lambda:InvokeFunction"):
        AwsCalls()("lambda", "invoke", FunctionName="judge")


def test_a_function_may_not_be_changed():
    """Of a function nothing but its judgement can be asked."""
    with raises(CannotMeasure, Code.AWS_WRITE, "DeleteFunction"):
        AwsCalls()("lambda", "delete_function", FunctionName="judge")


def test_what_is_not_there(mocked_aws):
    """A missing resource has an error of its own."""
    with raises(NotFound, Code.AWS_REFUSED, "secretsmanager:DescribeSecret"):
        AwsCalls()("secretsmanager", "describe_secret", SecretId="typo")
