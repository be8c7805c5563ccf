"""One endpoint for every service, with any region."""

import json
import urllib.error
import urllib.request

import boto3
import pytest
from support.emulator_setup import SETTINGS, function

from hookgate_rehearsal.emulator import Emulator
from hookgate_rehearsal.endpoint.protocols import (
    ApiError,
    JsonService,
    answer_problems,
    service_model,
)


@pytest.fixture(name="emulator", scope="module")
def _emulator():
    hooks = [function("echo"), function("failing")]
    with Emulator(images={}, functions=hooks, settings=SETTINGS) as emulator:
        yield emulator


def post(emulator, target, body=b"{}"):
    """A bare JSON 1.1 request; the status and the answer."""
    request = urllib.request.Request(  # noqa: S310 - the emulator's own URL
        emulator.endpoint_url,
        data=body,
        headers={
            "X-Amz-Target": target,
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"Credential={emulator.settings.key.id}/",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_errors_are_in_json_1_1s_form(emulator):
    """Status 400, the exception's name in __type, and a message."""
    status, answer = post(
        emulator, "CodeDeploy_20141006.GetDeployment", b'{"deploymentId": "x"}'
    )

    assert (400, "InvalidDeploymentIdException") == (status, answer["__type"])
    assert "'x'" in answer["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"{", "SerializationException", id="not JSON"),
        pytest.param(b"[]", "SerializationException", id="not an object"),
        pytest.param(b"{}", "DeploymentIdRequiredException", id="nothing in it"),
        pytest.param(b'{"deploymentId": 5}', "ValidationException", id="wrong type"),
    ],
)
def test_a_malformed_request_is_refused(emulator, body, code):
    """The error says what of the request was wrong."""
    status, answer = post(emulator, "CodeDeploy_20141006.GetDeployment", body)

    assert (400, code) == (status, answer["__type"])


def test_an_unknown_operation_is_refused(emulator):
    """The error names it."""
    _, answer = post(emulator, "CodeDeploy_20141006.MakeTea")

    assert "UnknownOperationException" == answer["__type"]
    assert "MakeTea" in answer["message"]


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-southeast-2"])
def test_every_region_is_the_emulators(emulator, region):
    """A client of any region sees the same things."""
    client = boto3.session.Session().client(
        "ecs",
        region_name=region,
        endpoint_url=emulator.endpoint_url,
        aws_access_key_id=emulator.settings.key.id,
        aws_secret_access_key="anything",
    )
    client.create_cluster(clusterName=region)

    arns = emulator.client("ecs").list_clusters()["clusterArns"]

    assert f"arn:aws:ecs:us-east-1:123456789012:cluster/{region}" in arns


@pytest.mark.parametrize(
    ("service", "call"),
    [
        pytest.param("ssm", "describe_parameters", id="ssm"),
        pytest.param("s3", "list_buckets", id="s3"),
        pytest.param("cloudwatch", "describe_alarms", id="cloudwatch"),
        pytest.param("sns", "list_topics", id="sns"),
        pytest.param("dynamodb", "list_tables", id="dynamodb"),
        pytest.param("logs", "describe_log_groups", id="logs"),
        pytest.param("sts", "get_caller_identity", id="sts"),
        pytest.param("lambda", "list_functions", id="lambda"),
    ],
)
def test_other_services_answer(emulator, service, call):
    """Moto answers through the same endpoint, in a form that botocore takes."""
    answer = getattr(emulator.client(service), call)()

    assert 200 == answer["ResponseMetadata"]["HTTPStatusCode"]


def test_a_function_is_invoked_and_answers(emulator):
    """A synchronous Invoke waits for the function."""
    answer = emulator.client("lambda").invoke(
        FunctionName="CodeDeployHook_echo", Payload=b'{"a": 1}'
    )

    assert (200, None) == (answer["StatusCode"], answer.get("FunctionError"))
    body = json.loads(answer["Payload"].read())
    assert {"a": 1} == body["event"]
    assert emulator.endpoint_url == body["environment"]["AWS_ENDPOINT_URL"]


def test_a_function_that_fails_sets_function_error(emulator):
    """FunctionError is set and the payload says why."""
    answer = emulator.client("lambda").invoke(FunctionName="CodeDeployHook_failing")

    assert "Unhandled" == answer["FunctionError"]
    assert "ValueError" == json.loads(answer["Payload"].read())["errorType"]


def test_an_asynchronous_invocation_is_accepted(emulator):
    """InvocationType Event is answered at once with 202."""
    answer = emulator.client("lambda").invoke(
        FunctionName="CodeDeployHook_echo", InvocationType="Event"
    )

    assert 202 == answer["StatusCode"]


def test_an_unknown_function_is_refused(emulator):
    """ResourceNotFoundException, as Lambda models it."""
    client = emulator.client("lambda")

    with pytest.raises(client.exceptions.ResourceNotFoundException, match="unknown"):
        client.invoke(FunctionName="unknown")


def answer_of(operation):
    """What a service says whose GetDeployment is ``operation``."""
    service = JsonService("codedeploy", {"GetDeployment": operation})
    reply = service.answer("GetDeployment", b'{"deploymentId": "d-1"}')
    return reply.status, json.loads(reply.body)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"deploymentInfo": {"surplus": 1}}, id="unknown member"),
        pytest.param({"deploymentInfo": {"status": 1}}, id="wrong type"),
        pytest.param({"deploymentInfo": {"status": "Done"}}, id="unknown enum"),
    ],
)
def test_an_answer_that_does_not_fit_the_model_is_a_500(answer):
    """The emulator never returns what AWS could not return."""
    status, body = answer_of(lambda _: answer)

    assert (500, "InternalFailure") == (status, body["__type"])
    assert "does not fit" in body["message"]


def test_an_error_that_is_not_modelled_is_a_500():
    """An operation may only refuse with what its model names."""

    def refuse(_):
        raise ApiError("MadeUpException", "no")

    assert 500 == answer_of(refuse)[0]


def test_a_crash_is_a_500_and_says_so(caplog):
    """The client and the log get the error of an operation that breaks."""

    def crash(_):
        raise RuntimeError("broken")

    status, body = answer_of(crash)

    assert (500, True) == (status, "broken" in body["message"])
    assert "broken" in caplog.text


def test_members_that_are_none_are_left_out():
    """As AWS leaves them out."""
    status, body = answer_of(lambda _: {"deploymentInfo": {"description": None}})

    assert (200, {"deploymentInfo": {}}) == (status, body)


def test_a_conforming_answer_has_no_problems():
    """The check lets what fits pass, lists and enums included."""
    shape = service_model("codedeploy").operation_model("ListDeployments").output_shape

    assert not answer_problems({"deployments": ["d-1"]}, shape)
