"""Calls of functions that are throttled, denied or lost, as botocore meets them."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from hookgate_rehearsal.endpoint.access import AccessKey
from hookgate_rehearsal.endpoint.front import EndpointServer
from hookgate_rehearsal.faults.faults import CallFault, FaultyCalls
from hookgate_rehearsal.faults.schema import CallFile

#: A call in each protocol that hooks speak: JSON, query and CBOR.
CALLS = {
    "codedeploy:ListApplications": ("codedeploy", "list_applications"),
    "elasticloadbalancing:DescribeListeners": ("elbv2", "describe_listeners"),
    "cloudwatch:DescribeAlarms": ("cloudwatch", "describe_alarms"),
}
KEY = AccessKey("A_KEY_OF_THE_TESTS")
#: The key ids of callers that are not functions.
KEYS = {"a person": KEY.id, "codedeploy": KEY.codedeploy}


class Edge:
    """An endpoint that answers codedeploy's calls, behind the faults."""

    def __init__(self):
        self.faults = []
        self.calls = 0
        self.server = EndpointServer(FaultyCalls(self, lambda: self.faults))
        self.server.start()

    def __call__(self, environ, start_response):
        self.calls += 1
        start_response("200 OK", [("Content-Type", "application/x-amz-json-1.1")])
        return [b'{"applications": []}']

    def order(self, call, gets, function=None, **more):
        fault = CallFile(call=call, gets=gets, **more)
        self.faults.append(CallFault(fault=fault, function=function))

    def ask(self, call="codedeploy:ListApplications", function="hook"):
        service, operation = CALLS[call]
        client = boto3.client(
            service,
            endpoint_url=self.server.url,
            region_name="us-east-1",
            aws_access_key_id=KEYS.get(function) or KEY.function(function),
            aws_secret_access_key="x",
            config=Config(retries={"total_max_attempts": 1}),
        )
        return getattr(client, operation)()


@pytest.fixture(name="edge")
def _edge():
    edge = Edge()
    yield edge
    edge.server.close()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("gets", "code"), [("throttled", "Throttling"), ("denied", "AccessDenied")]
)
def test_refusal_is_the_protocols_own(edge, call, gets, code):
    """Botocore understands the error, whatever the service speaks."""
    edge.order(call, gets)

    with pytest.raises(ClientError) as refused:
        edge.ask(call)

    assert code == refused.value.response["Error"]["Code"].removesuffix("Exception")
    assert 0 == edge.calls


def test_denial_names_the_permission(edge):
    """The message is IAM's: who may not do what."""
    edge.order("codedeploy:ListApplications", "denied")

    with pytest.raises(ClientError, match="not authorized to perform: codedeploy:List"):
        edge.ask()


@pytest.mark.parametrize(("gets", "done"), [("lost", 0), ("answer_lost", 1)])
def test_lost_call_is_no_answer(edge, gets, done):
    """The connection ends; only a call whose answer is lost has been done."""
    edge.order("codedeploy:ListApplications", gets)

    with pytest.raises(ConnectionClosedError):
        edge.ask()

    assert done == edge.calls


def test_fault_strikes_so_often(edge):
    """After the times that were ordered the call is done."""
    edge.order("codedeploy:ListApplications", "throttled", times=1)

    with pytest.raises(ClientError):
        edge.ask()

    assert [] == edge.ask()["applications"]


@pytest.mark.parametrize(
    ("function", "caller"),
    [
        pytest.param(None, "a person", id="a person"),
        pytest.param(None, "codedeploy", id="codedeploy itself"),
        pytest.param("one", "other", id="another function"),
    ],
)
def test_others_are_spared(edge, function, caller):
    """Faults are for the functions' calls, or for those of one function."""
    edge.order("codedeploy:ListApplications", "denied", function=function)

    assert [] == edge.ask(function=caller)["applications"]


def test_codedeploys_own_call_is_struck(edge):
    """What is ordered for CodeDeploy strikes it alone."""
    edge.order("codedeploy:ListApplications", "denied", by="codedeploy")

    with pytest.raises(ClientError, match="assumed-role/codedeploy/codedeploy"):
        edge.ask(function="codedeploy")
    assert [] == edge.ask()["applications"]
