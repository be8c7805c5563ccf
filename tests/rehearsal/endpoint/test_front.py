"""Requests that neither the emulator nor moto can serve, and bodies in every form."""

import http.client
import logging

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from support.emulator_setup import SETTINGS

from hookgate_rehearsal.emulator import Emulator
from hookgate_rehearsal.endpoint.front import EndpointServer, Front


@pytest.fixture(name="emulator", scope="module")
def _emulator():
    with Emulator(images={}, settings=SETTINGS) as emulator:
        yield emulator


def request(emulator, method="POST", path="/", body=b"", service="ec2", **headers):
    """The status, the content type and the body of a signed request."""
    scope = f"{emulator.settings.key.id}/20260101/us-east-1/{service}/aws4_request"
    connection = http.client.HTTPConnection(emulator.endpoint_url.rpartition("/")[2])
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(
        method, path, body, {"Authorization": f"AWS4 Credential={scope}", **sent}
    )
    response = connection.getresponse()
    result = response.status, response.headers["Content-Type"], response.read()
    connection.close()
    return result


CALLS = {
    "moto fails": (
        "ec2",
        "run_instances",
        {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro"},
        "ec2 RunInstances",
    ),
    "moto lacks it": ("bedrock", "list_foundation_models", {}, "bedrock GET"),
    "a package is missing": (
        "xray",
        "get_trace_summaries",
        {"StartTime": 1, "EndTime": 2},
        "xray POST",
    ),
    "an unknown parameter": (
        "cloudformation",
        "create_stack",
        {
            "StackName": "cdk",
            "TemplateBody": '{"Parameters": {"BootstrapVersion": {"Type": '
            '"AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/x"}}, '
            '"Resources": {}}',
        },
        "cloudformation CreateStack",
    ),
}


@pytest.mark.parametrize("case", CALLS)
def test_an_unsupported_call_is_an_error_that_names_it(emulator, case, caplog):
    """Botocore reads the error, and does not retry it; later calls are unaffected."""
    caplog.set_level(logging.CRITICAL)
    service, operation, parameters, name = CALLS[case]

    with pytest.raises(ClientError) as refused:
        getattr(emulator.client(service), operation)(**parameters)

    response = refused.value.response
    assert name in response["Error"]["Message"]
    assert (501, 0) == (
        response["ResponseMetadata"]["HTTPStatusCode"],
        response["ResponseMetadata"]["RetryAttempts"],
    )
    assert [] == emulator.client("ec2").describe_key_pairs()["KeyPairs"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param({"body": b"Action=Nope"}, 501, id="unknown operation"),
        pytest.param({"body": b"\xff\xfe"}, 501, id="not UTF-8"),
        pytest.param({"path": "/moto-api/reset"}, 501, id="moto's own API"),
        pytest.param({"Content_Length": "-5"}, 400, id="negative length"),
        pytest.param({"Content_Length": "many"}, 400, id="no length"),
        pytest.param(
            {"Transfer_Encoding": "chunked", "body": b"zz\r\n"}, 400, id="bad chunk"
        ),
    ],
)
def test_a_malformed_request_is_an_error_in_json(emulator, sent, status, caplog):
    """No request gets a page of HTML."""
    caplog.set_level(logging.CRITICAL)
    found, content_type, _ = request(emulator, **sent)
    assert (status, "application/x-amz-json-1.1") == (found, content_type)


def test_a_defect_is_an_error_in_the_services_protocol(caplog):
    """A handler that raises costs one answer, and the log has the reason."""

    def broken(_request):
        raise RuntimeError("broken")

    front = Front("us-east-1", moto=None)
    front.open({"sns": broken})
    server = EndpointServer(front)
    server.start()
    client = boto3.client(
        "sns",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )

    with pytest.raises(ClientError) as refused:
        client.list_topics()
    server.close()

    assert "InternalFailure" == refused.value.response["Error"]["Code"]
    assert "broken" in caplog.text


def test_a_chunked_body_is_read(emulator):
    """An object whose length its client does not know is stored whole."""
    emulator.client("s3").create_bucket(Bucket="chunked")
    connection = http.client.HTTPConnection(emulator.endpoint_url.rpartition("/")[2])
    scope = f"{emulator.settings.key.id}/20260101/us-east-1/s3/aws4_request"
    connection.request(
        "PUT",
        "/chunked/object",
        iter([b"one ", b"two"]),
        {"Authorization": f"AWS4 Credential={scope}"},
        encode_chunked=True,
    )
    assert 200 == connection.getresponse().status
    connection.close()

    stored = emulator.client("s3").get_object(Bucket="chunked", Key="object")
    assert b"one two" == stored["Body"].read()


def test_a_head_request_gets_the_length(emulator):
    """HeadObject says the length of the object, whose content is not sent."""
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="heads")
    s3.put_object(Bucket="heads", Key="object", Body=b"12345")
    assert 5 == s3.head_object(Bucket="heads", Key="object")["ContentLength"]
    with pytest.raises(ClientError) as missing:
        s3.head_object(Bucket="heads", Key="none")
    assert "404" == missing.value.response["Error"]["Code"]
