"""How CodeDeploy acts through AWS's APIs, and what it makes of refusals."""

import json
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from support.virtual_world import order, task_set

from hookgate_rehearsal.codedeploy.aws import AwsExecutor
from hookgate_rehearsal.codedeploy.model.deployment import (
    Deployment,
    ErrorCode,
    EventName,
    TaskSetLabel,
)
from hookgate_rehearsal.codedeploy.model.signals import (
    AlarmsPolled,
    ClearTargetGroup,
    DeleteTaskSet,
    Done,
    InvokeHook,
    PollAlarms,
    Refused,
    RouteProductionTraffic,
    RouteTestTraffic,
    Survey,
)
from hookgate_rehearsal.codedeploy.settings import Assumptions

BLUE, GREEN = TaskSetLabel.BLUE, TaskSetLabel.GREEN
INVOKE = InvokeHook(event=EventName.AFTER_INSTALL, function="hook", execution_id="id")
UNREACHABLE = EndpointConnectionError(endpoint_url="http://nowhere")


def aws_error(code):
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


class Client:
    """A boto3 client that answers every call alike and remembers them."""

    def __init__(self, answer=None):
        self.calls = []
        self._answer = answer

    def __getattr__(self, name):
        def call(**request):
            self.calls.append((name, request))
            if isinstance(self._answer, Exception):
                raise self._answer
            return self._answer

        return call


class Elbv2(Client):
    """ELBv2 with two target groups and one listener."""

    def __init__(self, default, *rules):
        super().__init__()
        self.default, self.rules = default, rules

    def describe_target_groups(self, **request):
        return {
            "TargetGroups": [
                {"TargetGroupName": name, "TargetGroupArn": f"arn:{name}"}
                for name in request["Names"]
            ]
        }

    def describe_listeners(self, **_):
        return {"Listeners": [{"DefaultActions": self.default}]}

    def describe_rules(self, **_):
        default = {"IsDefault": True, "RuleArn": "default", "Actions": self.default}
        others = [
            {"IsDefault": False, "RuleArn": f"rule-{number}", "Actions": actions}
            for number, actions in enumerate(self.rules)
        ]
        return {"Rules": [*others, default]}


def world(ecs=None, elbv2=None, functions=None, cloudwatch=None):
    return AwsExecutor(
        ecs=ecs or Client(),
        elbv2=elbv2 or Client(),
        functions=functions or Client(),
        cloudwatch=cloudwatch or Client(),
        assumptions=Assumptions(),
    )


def deployment():
    return Deployment(order=order(), blue=task_set(BLUE), green=task_set(GREEN))


def forward(*groups):
    targets = [{"TargetGroupArn": f"arn:{name}", "Weight": 1} for name in groups]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": targets}}]


FIXED = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
SHARED = [
    {
        "Type": "forward",
        "ForwardConfig": {
            "TargetGroups": [
                {"TargetGroupArn": "arn:group-1", "Weight": 90},
                {"TargetGroupArn": "arn:group-2", "Weight": 10},
            ]
        },
    }
]
BARE = [{"Type": "forward", "TargetGroupArn": "arn:group-1"}]


def weights(actions):
    groups = actions[-1]["ForwardConfig"]["TargetGroups"]
    return {group["TargetGroupArn"]: group["Weight"] for group in groups}


def test_a_hook_is_invoked_with_the_two_keys_and_nothing_else():
    """Asynchronously, as CodeDeploy does."""
    functions = Client()

    signal = world(functions=functions).carry_out(deployment(), INVOKE)

    ((operation, request),) = functions.calls
    assert Done(effect=INVOKE) == signal
    assert ("invoke", "hook", "Event") == (
        operation,
        request["FunctionName"],
        request["InvocationType"],
    )
    assert {
        "DeploymentId": "d-AAAAAAAAA",
        "LifecycleEventHookExecutionId": "id",
    } == json.loads(request["Payload"])


@pytest.mark.parametrize(
    ("effect", "error", "code"),
    [
        pytest.param(
            INVOKE,
            aws_error("ResourceNotFoundException"),
            ErrorCode.HOOK_EXECUTION_FAILURE,
            id="no such function",
        ),
        pytest.param(
            INVOKE,
            aws_error("AccessDeniedException"),
            ErrorCode.IAM_ROLE_PERMISSIONS,
            id="not permitted",
        ),
        pytest.param(
            DeleteTaskSet(label=GREEN),
            aws_error("ServerException"),
            ErrorCode.ECS_UPDATE_ERROR,
            id="ECS fails",
        ),
        pytest.param(
            PollAlarms(names=("a",)),
            aws_error("Throttling"),
            ErrorCode.ALARM_ACTIVE,
            id="CloudWatch throttles",
        ),
        pytest.param(
            Survey(), UNREACHABLE, ErrorCode.INVALID_ECS_SERVICE, id="unreachable"
        ),
        pytest.param(
            RouteTestTraffic(to=GREEN),
            aws_error("ListenerNotFound"),
            ErrorCode.ELASTIC_LOAD_BALANCING_INVALID,
            id="no listener",
        ),
        pytest.param(
            Survey(), ZeroDivisionError(), ErrorCode.INTERNAL_ERROR, id="a bug"
        ),
    ],
)
def test_a_refusal_says_why(effect, error, code):
    """Whatever goes wrong becomes a refusal with a code of CodeDeploy's."""
    client = Client(error)

    signal = world(client, client, client, client).carry_out(deployment(), effect)

    assert isinstance(signal, Refused)
    assert code is signal.failure.code


@pytest.mark.parametrize(
    ("effect", "service"),
    [
        (INVOKE, "AWSLambda"),
        (PollAlarms(names=("a",)), "AmazonCloudWatch"),
        (RouteTestTraffic(to=GREEN), "AmazonElasticLoadBalancing"),
        (DeleteTaskSet(label=GREEN), "AmazonECS"),
    ],
)
def test_a_denial_names_the_service(effect, service):
    """A denial has CodeDeploy's message, with the service that denied the call."""
    client = Client(aws_error("AccessDeniedException"))

    signal = world(client, client, client, client).carry_out(deployment(), effect)

    assert f"in the following AWS service: {service}. " in signal.failure.message


def test_alarms_of_both_types_are_read():
    """Metric and composite alarms are asked for; one that is not there has no state."""
    states = {"a": "ALARM", "b": "OK"}
    described = [{"AlarmName": name, "StateValue": s} for name, s in states.items()]
    cloudwatch = Client(
        {"MetricAlarms": described[:1], "CompositeAlarms": described[1:]}
    )
    poll = PollAlarms(names=("a", "b", "c"))

    signal = world(cloudwatch=cloudwatch).carry_out(deployment(), poll)

    ((_, request),) = cloudwatch.calls
    assert AlarmsPolled(states=states) == signal
    assert ["MetricAlarm", "CompositeAlarm"] == request["AlarmTypes"]


@pytest.mark.parametrize(
    ("services", "message"),
    [
        pytest.param([], "no ECS service", id="no service"),
        pytest.param(
            [{"deploymentController": {"type": "ECS"}}], "controller", id="rolling"
        ),
        pytest.param(
            [{"deploymentController": {"type": "CODE_DEPLOY"}, "taskSets": []}],
            "no PRIMARY task set",
            id="no task set",
        ),
    ],
)
def test_a_service_that_cannot_be_deployed_is_refused(services, message):
    """The survey says what is wrong with the service."""
    signal = world(ecs=Client({"services": services})).carry_out(deployment(), Survey())

    assert ErrorCode.INVALID_ECS_SERVICE is signal.failure.code
    assert message in signal.failure.message


@pytest.mark.parametrize(
    "default", [pytest.param(BARE, id="bare"), pytest.param(forward("group-1"))]
)
def test_a_listener_gets_both_groups_with_weights(default):
    """Whatever form it had, it then has the weighted one."""
    elbv2 = Elbv2(default)

    world(elbv2=elbv2).carry_out(deployment(), RouteProductionTraffic(green_weight=10))

    ((operation, request),) = elbv2.calls
    assert ("modify_listener", "arn:production") == (operation, request["ListenerArn"])
    assert {"arn:group-2": 10, "arn:group-1": 90} == weights(request["DefaultActions"])


def test_a_test_listener_that_is_a_rule_changes_in_the_rule():
    """The default action, which forwards to neither, stays."""
    elbv2 = Elbv2(FIXED, forward("group-1"), forward("group-9"))

    world(elbv2=elbv2).carry_out(deployment(), RouteTestTraffic(to=GREEN))

    ((operation, request),) = elbv2.calls
    assert ("modify_rule", "rule-0") == (operation, request["RuleArn"])
    assert {"arn:group-2": 100, "arn:group-1": 0} == weights(request["Actions"])


def test_a_rollback_points_the_test_listener_at_blue():
    """Routed to blue, green keeps weight 0."""
    elbv2 = Elbv2(forward("group-2"))

    world(elbv2=elbv2).carry_out(deployment(), RouteTestTraffic(to=BLUE))

    ((_, request),) = elbv2.calls
    assert {"arn:group-2": 0, "arn:group-1": 100} == weights(request["DefaultActions"])


def test_a_production_listener_that_knows_neither_group_is_refused():
    """The primary target group must be behind the listener."""
    elbv2 = Elbv2(forward("group-9"))

    signal = world(elbv2=elbv2).carry_out(
        deployment(), RouteProductionTraffic(green_weight=100)
    )

    assert ErrorCode.ELASTIC_LOAD_BALANCING_INVALID is signal.failure.code
    assert [] == elbv2.calls


class Ecs(Client):
    """ECS with a service of two target groups, and what was left on the second."""

    def __init__(self):
        super().__init__()
        self.task_sets = [
            self._task_set("PRIMARY", "group-1"),
            self._task_set("ACTIVE", "group-2"),
            self._task_set("DRAINING", "group-2"),
        ]

    def describe_services(self, **_):
        controller = {"type": "CODE_DEPLOY"}
        service = {"deploymentController": controller, "taskSets": self.task_sets}
        return {"services": [service]}

    def _task_set(self, status, group):
        balancers = [{"targetGroupArn": f"arn:{group}"}]
        return {"status": status, "taskSetArn": status, "loadBalancers": balancers}


def surveyed():
    return replace(deployment(), green=None, green_group="group-2")


def test_what_an_earlier_deployment_left_is_taken_away():
    """Production goes back to blue before the task set on green's group is deleted."""
    calls = []
    elbv2, ecs = Elbv2(SHARED), Ecs()
    elbv2.calls = ecs.calls = calls

    signal = world(ecs=ecs, elbv2=elbv2).carry_out(surveyed(), ClearTargetGroup())

    assert Done(effect=ClearTargetGroup()) == signal
    (_, reroute), (_, deletion) = calls
    assert {"arn:group-2": 0, "arn:group-1": 100} == weights(reroute["DefaultActions"])
    assert "ACTIVE" == deletion["taskSet"]


def test_a_listener_that_asks_blue_alone_is_left_alone():
    """Without a share of green's there is nothing to take back."""
    elbv2 = Elbv2(BARE)

    world(ecs=Ecs(), elbv2=elbv2).carry_out(surveyed(), ClearTargetGroup())

    assert [] == elbv2.calls


def test_production_that_does_not_ask_the_primary_is_refused():
    """Green's group serves production: an install would expose the new version."""
    elbv2, ecs = Elbv2(forward("group-2")), Ecs()

    signal = world(ecs=ecs, elbv2=elbv2).carry_out(surveyed(), ClearTargetGroup())

    assert "must be behind listener" in signal.failure.message
    assert [] == ecs.calls + elbv2.calls
