"""The deployment of a hook, and the report with each of the API's errors."""

import socket
import threading

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from support.answering import BROKEN
from support.coded import raises
from support.codedeploy_edge import codedeploy_edge
from support.world import DEPLOYMENT, PRODUCTION, STARTED, TEST, World, denied

from hookgate.aws.calls import ATTEMPTS, CONNECT, READ
from hookgate.aws.codedeploy import (
    PAUSES,
    RESERVE,
    CodeDeployStatus,
    find_deployment,
)
from hookgate.codes import Code
from hookgate.context import HookEvent
from hookgate.errors import CannotMeasure, ReportError
from hookgate.model import HookStatus, LifecycleEvent
from hookgate.testing import VirtualClock

HOOK = HookEvent.parse(
    {"DeploymentId": DEPLOYMENT, "LifecycleEventHookExecutionId": "hook-1"}
)
BEFORE, TESTED = LifecycleEvent.BEFORE_INSTALL, LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC
OPERATION = "put_lifecycle_event_hook_execution_status"


@pytest.fixture(name="world")
def _world() -> World:
    return World()


NOT_BEGUN = [
    "DeploymentNotStartedException",
    "DeploymentTargetDoesNotExistException",
]


@pytest.mark.parametrize("code", NOT_BEGUN)
def test_target_not_begun(world, code):
    """At BeforeInstall CodeDeploy may not know its target yet."""
    world.answers["codedeploy", "get_deployment_target"] = denied("X", "", code)

    assert (
        find_deployment(world, HOOK, BEFORE, VirtualClock()).deployment.event_started_at
        is None
    )


@pytest.mark.parametrize(
    ("event", "code"),
    [
        *((TESTED, code) for code in NOT_BEGUN),
        (BEFORE, "AccessDeniedException"),
        (BEFORE, "DeploymentDoesNotExistException"),
    ],
)
def test_target_refused(world, event, code):
    """A target that is missing later, or for another reason, is an error."""
    world.answers["codedeploy", "get_deployment_target"] = denied("X", "", code)

    with pytest.raises(CannotMeasure):
        find_deployment(world, HOOK, event, VirtualClock())


def target(*events):
    """GetDeploymentTarget's answers in turn; the last is repeated."""
    left = list(events)

    def answer(**_):
        given = left.pop(0) if len(left) > 1 else left[0]
        return {
            "deploymentTarget": {
                "deploymentTargetType": "ECSTarget",
                "ecsTarget": {"lifecycleEvents": given},
            }
        }

    return answer


BEHIND = [
    {"lifecycleEventName": "AllowTestTraffic", "status": "InProgress"},
    {"lifecycleEventName": "AfterAllowTestTraffic", "status": "Pending"},
]
DUE = [
    {"lifecycleEventName": "AllowTestTraffic", "status": "Succeeded"},
    {
        "lifecycleEventName": "AfterAllowTestTraffic",
        "status": "InProgress",
        "startTime": STARTED,
    },
]


def test_answer_that_lags(world):
    """An answer that is still at the event before is looked at again."""
    clock = VirtualClock()
    world.answers["codedeploy", "get_deployment_target"] = target(
        *[BEHIND] * (len(PAUSES) - 1), DUE
    )
    found = find_deployment(world, HOOK, TESTED, clock)

    assert (STARTED, True) == (found.deployment.event_started_at, 0 < clock.time <= 10)


def test_wrong_event(world):
    """After a few looks the function is at the wrong event."""
    clock = VirtualClock()
    world.answers["codedeploy", "get_deployment_target"] = target(BEHIND)

    with raises(CannotMeasure, Code.HOOK_EVENT, "AllowTestTraffic"):
        find_deployment(world, HOOK, TESTED, clock)
    asked = [name for _, name, _ in world.calls if name == "get_deployment_target"]
    assert (len(PAUSES), True) == (len(asked), 0 < clock.time <= 10)


def test_no_pause_when_due(world):
    """A hook that is due waits for nothing."""
    clock = VirtualClock()
    find_deployment(world, HOOK, TESTED, clock)

    assert 0 == clock.time


@pytest.mark.parametrize(
    ("given", "production"),
    [
        pytest.param({}, PRODUCTION, id="empty"),
        pytest.param({"targetGroupInfoList": []}, PRODUCTION, id="no pairs"),
        pytest.param({"targetGroupPairInfoList": []}, PRODUCTION, id="empty pairs"),
        pytest.param(
            {
                "targetGroupPairInfoList": [
                    {
                        "targetGroups": [{"name": "a"}, {"name": "b"}],
                        "prodTrafficRoute": {"listenerArns": [TEST]},
                    }
                ]
            },
            TEST,
            id="pairs",
        ),
    ],
)
def test_pairs(world, given, production):
    """A deployment's loadBalancerInfo without pairs gives way to its group's."""
    world.deployment["loadBalancerInfo"] = given

    assert production == find_deployment(world, HOOK, TESTED, VirtualClock()).production


def test_no_pair(world):
    """A group without a pair of target groups is refused by name."""
    world.group["loadBalancerInfo"] = {}

    with raises(CannotMeasure, Code.DISCOVERY_TARGET_GROUP):
        find_deployment(world, HOOK, TESTED, VirtualClock())


def test_no_service(world):
    """A group without an ECS service is refused by name."""
    world.group["ecsServices"] = []

    with raises(CannotMeasure, Code.DISCOVERY_SERVICE):
        find_deployment(world, HOOK, TESTED, VirtualClock())


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
        "deploymentId": DEPLOYMENT,
        "lifecycleEventHookExecutionId": "hook-1",
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
