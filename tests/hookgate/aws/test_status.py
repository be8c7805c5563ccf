"""The report to CodeDeploy: each of the API's errors for what it means."""

import socket
import threading

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from support.answering import BROKEN
from support.coded import raises
from support.codedeploy_edge import codedeploy_edge

from hookgate.aws.calls import ATTEMPTS, CONNECT, READ
from hookgate.aws.status import RESERVE, CodeDeployStatus
from hookgate.codes import Code
from hookgate.errors import ReportError
from hookgate.event import HookEvent
from hookgate.model import HookStatus

HOOK = HookEvent.parse({"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "h"})
OPERATION = "put_lifecycle_event_hook_execution_status"


@pytest.fixture(name="client")
def _client():
    client = boto3.client(
        "codedeploy",
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()


def test_reported(client):
    """The status goes to CodeDeploy with both ids."""
    expected = {
        "deploymentId": "d-1",
        "lifecycleEventHookExecutionId": "h",
        "status": "Failed",
    }
    with Stubber(client) as stub:
        stub.add_response(OPERATION, {"lifecycleEventHookExecutionId": "h"}, expected)

        assert CodeDeployStatus(client).report(HOOK, HookStatus.FAILED)
        stub.assert_no_pending_responses()


def test_already_completed(client):
    """An event that is over needs no report, and none is missing."""
    with Stubber(client) as stub:
        stub.add_client_error(OPERATION, "LifecycleEventAlreadyCompletedException")

        assert not CodeDeployStatus(client).report(HOOK, HookStatus.SUCCEEDED)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("InvalidLifecycleEventHookExecutionIdException", "execution id"),
        ("DeploymentDoesNotExistException", "account and region"),
        ("InvalidDeploymentIdException", "deployment id"),
        ("DeploymentIdRequiredException", "deployment id"),
        ("InvalidLifecycleEventHookExecutionStatusException", "Succeeded"),
        ("UnsupportedActionForDeploymentTypeException", "type of deployment"),
        ("AccessDeniedException", "codedeploy:PutLifecycleEvent"),
    ],
)
def test_refused(client, code, name):
    """Every other refusal raises, and says what it means."""
    with Stubber(client) as stub:
        stub.add_client_error(OPERATION, code)

        with raises(ReportError, "HG-REPORT", code, name):
            CodeDeployStatus(client).report(HOOK, HookStatus.SUCCEEDED)


def test_no_answer():
    """A CodeDeploy that never answers raises, so that Lambda tries again."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        client = boto3.client(
            "codedeploy",
            endpoint_url=f"http://127.0.0.1:{deaf.getsockname()[1]}",
            region_name="eu-west-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(read_timeout=0.05, retries={"total_max_attempts": 2}),
        )
        with raises(ReportError, Code.REPORT):
            CodeDeployStatus(client).report(HOOK, HookStatus.FAILED)
        client.close()


@pytest.mark.parametrize("broken", BROKEN)
def test_response_is_lost(broken):
    """A report that CodeDeploy does not confirm raises, though it may be accepted."""
    with codedeploy_edge() as edge:
        edge.broken = broken
        client = boto3.client(
            "codedeploy",
            endpoint_url=edge.url,
            region_name="eu-west-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(read_timeout=0.5, retries={"total_max_attempts": 1}),
        )
        with pytest.raises(ReportError):
            CodeDeployStatus(client).report(HOOK, HookStatus.SUCCEEDED)
        client.close()


def test_second_attempt():
    """An attempt that is cut off is followed by one that arrives."""
    answer = b'{"lifecycleEventHookExecutionId":"h"}'
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            server.accept()[0].close()
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\n\r\n"
                connection.sendall(head.encode() + answer)

        thread = threading.Thread(target=serve)
        thread.start()
        client = boto3.client(
            "codedeploy",
            endpoint_url=f"http://127.0.0.1:{server.getsockname()[1]}",
            region_name="eu-west-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(retries={"mode": "standard", "total_max_attempts": 2}),
        )

        assert CodeDeployStatus(client).report(HOOK, HookStatus.SUCCEEDED)
        thread.join()
        client.close()


def test_reserve():
    """The attempts with botocore's longest pauses fit into the reserve."""
    pauses = sum(2**attempt for attempt in range(ATTEMPTS - 1))

    assert ATTEMPTS * (CONNECT + READ) + pauses <= RESERVE
