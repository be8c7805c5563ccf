"""ELBv2 on an emulator: what is configured is what listeners really do."""

import json
import socket
import sys

import pytest
from botocore.exceptions import ClientError
from support.emulator_setup import HERE, SETTINGS, fetch, free_port, wait_for

from hookgate_rehearsal.data_plane.processes import TaskProcess
from hookgate_rehearsal.emulator import Emulator


@pytest.fixture(name="emulator", scope="module")
def _emulator():
    with Emulator(images={}, settings=SETTINGS) as emulator:
        yield emulator


@pytest.fixture(name="elbv2")
def _elbv2(emulator):
    return emulator.client("elbv2")


@pytest.fixture(name="task")
def _task():
    command = (sys.executable, str(HERE / "tiny_app.py"))
    task = TaskProcess(command, env={"VERSION": "task"})
    yield task
    task.stop(0)


@pytest.fixture(name="balancer")
def _balancer(emulator, elbv2, request):
    kind = getattr(request, "param", "application")
    made = elbv2.create_load_balancer(
        Name=f"lb-{free_port()}", Subnets=list(emulator.subnets[:2]), Type=kind
    )["LoadBalancers"][0]
    yield made
    elbv2.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])


def target_group(emulator, elbv2, protocol="HTTP"):
    made = elbv2.create_target_group(
        Name=f"group-{free_port()}",
        Protocol=protocol,
        Port=80,
        VpcId=emulator.vpc,
        TargetType="ip",
        HealthCheckIntervalSeconds=5,
        HealthCheckTimeoutSeconds=2,
        HealthCheckProtocol=protocol,
    )
    return made["TargetGroups"][0]["TargetGroupArn"]


def listener(elbv2, balancer, *actions, protocol="HTTP", port=None):
    made = elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol=protocol,
        Port=port or free_port(),
        DefaultActions=list(actions),
    )
    return made["Listeners"][0]


def fixed(body, status="200"):
    config = {"StatusCode": status, "ContentType": "text/plain", "MessageBody": body}
    return {"Type": "fixed-response", "FixedResponseConfig": config}


def forward(*arns):
    groups = [{"TargetGroupArn": arn, "Weight": 1} for arn in arns]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


def states(elbv2, arn, **request):
    found = elbv2.describe_target_health(TargetGroupArn=arn, **request)
    return [each["TargetHealth"]["State"] for each in found["TargetHealthDescriptions"]]


def test_the_dns_name_leads_to_the_listeners(elbv2, balancer):
    """Both answers have a name that this machine can reach."""
    described = elbv2.describe_load_balancers(Names=[balancer["LoadBalancerName"]])

    assert "127.0.0.1" == balancer["DNSName"]
    assert "127.0.0.1" == described["LoadBalancers"][0]["DNSName"]


def test_a_listener_answers_on_its_port(elbv2, balancer):
    """What CreateListener says is what the port does."""
    made = listener(elbv2, balancer, fixed("hello"))

    assert "hello" == fetch(made["Port"])


def test_a_modified_listener_answers_anew(elbv2, balancer):
    """The next request goes by the new actions."""
    made = listener(elbv2, balancer, fixed("old"))

    elbv2.modify_listener(
        ListenerArn=made["ListenerArn"], DefaultActions=[fixed("new")]
    )

    assert "new" == fetch(made["Port"])


def test_a_rule_comes_before_the_default(elbv2, balancer):
    """A rule by host, header or path is obeyed, and forgotten when deleted."""
    made = listener(elbv2, balancer, fixed("default"))
    rule = elbv2.create_rule(
        ListenerArn=made["ListenerArn"],
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/"]}],
        Actions=[fixed("rule")],
    )["Rules"][0]

    by_rule = fetch(made["Port"])
    elbv2.delete_rule(RuleArn=rule["RuleArn"])

    assert ("rule", "default") == (by_rule, fetch(made["Port"]))


def test_a_deleted_listener_frees_its_port(elbv2, balancer):
    """The port is free again."""
    made = listener(elbv2, balancer, fixed("hello"))

    elbv2.delete_listener(ListenerArn=made["ListenerArn"])

    with socket.create_server(("127.0.0.1", made["Port"])):
        pass


def test_a_port_that_is_taken_is_refused(elbv2, balancer):
    """CreateListener fails with the reason, and the listener does not exist."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ClientError, match="cannot open") as caught:
            listener(elbv2, balancer, fixed("hello"), port=port)

    assert "InvalidConfigurationRequest" == caught.value.response["Error"]["Code"]
    arn = balancer["LoadBalancerArn"]
    assert [] == elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]


def test_a_port_has_one_listener(elbv2, balancer):
    """A second one is refused when it is made and when it is moved there."""
    first, second = (listener(elbv2, balancer, fixed(each)) for each in ("1", "2"))
    with pytest.raises(elbv2.exceptions.DuplicateListenerException):
        listener(elbv2, balancer, fixed("3"), port=first["Port"])
    with pytest.raises(elbv2.exceptions.DuplicateListenerException):
        elbv2.modify_listener(ListenerArn=second["ListenerArn"], Port=first["Port"])
    elbv2.modify_listener(
        ListenerArn=first["ListenerArn"],
        Port=first["Port"],
        DefaultActions=[fixed("same port")],
    )

    assert ("same port", "2") == (fetch(first["Port"]), fetch(second["Port"]))


def test_a_target_is_healthy_once_a_listener_uses_its_group(
    emulator, elbv2, balancer, task
):
    """Unused before, healthy after, draining when deregistered."""
    arn = target_group(emulator, elbv2)
    targets = [{"Id": "127.0.0.1", "Port": task.port}]
    elbv2.register_targets(TargetGroupArn=arn, Targets=targets)
    before = states(elbv2, arn)

    made = listener(elbv2, balancer, forward(arn))
    wait_for(lambda: states(elbv2, arn) == ["healthy"])

    assert ["unused"] == before
    assert "task" == fetch(made["Port"])
    elbv2.deregister_targets(TargetGroupArn=arn, Targets=targets)
    assert ["draining"] == states(elbv2, arn)


@pytest.mark.parametrize("balancer", ["network"], indirect=True)
def test_a_network_load_balancer_forwards_connections(emulator, elbv2, balancer, task):
    """A TCP listener reaches the target."""
    arn = target_group(emulator, elbv2, protocol="TCP")
    made = listener(elbv2, balancer, forward(arn), protocol="TCP")
    targets = [{"Id": "127.0.0.1", "Port": task.port}]
    elbv2.register_targets(TargetGroupArn=arn, Targets=targets)
    wait_for(lambda: states(elbv2, arn) == ["healthy"])

    assert "task" == fetch(made["Port"])


def test_a_target_that_is_not_registered_is_unused(emulator, elbv2):
    """A target that is not in the group has the state unused; its port is optional."""
    arn = target_group(emulator, elbv2)

    for target in ({"Id": "127.0.0.1", "Port": 9}, {"Id": "127.0.0.1"}):
        assert ["unused"] == states(elbv2, arn, Targets=[target])


def test_an_unknown_target_group_is_refused(elbv2):
    """The error is the one that ELBv2 models."""
    with pytest.raises(elbv2.exceptions.TargetGroupNotFoundException):
        elbv2.describe_target_health(TargetGroupArn="arn:unknown")


COGNITO = {
    "Type": "authenticate-cognito",
    "AuthenticateCognitoConfig": {
        "UserPoolArn": "arn:aws:cognito-idp:us-east-1:123456789012:userpool/tea",
        "UserPoolClientId": "tea",
        "UserPoolDomain": "tea",
    },
}
PATH = {"Field": "path-pattern", "Values": ["/tea"]}


def source_ip(block):
    return {"Field": "source-ip", "SourceIpConfig": {"Values": [block]}}


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        (
            {"Protocol": "UDP"},
            "InvalidConfigurationRequest",
            "support the protocol UDP",
        ),
        ({"Protocol": "TCP_UDP"}, "InvalidConfigurationRequest", "protocol TCP_UDP"),
        ({"Protocol": "GENEVE"}, "InvalidConfigurationRequest", "protocol GENEVE"),
        ({"HealthCheckProtocol": "UDP"}, "InvalidConfigurationRequest", "protocol UDP"),
        ({"HealthCheckPort": "99999"}, "ValidationError", "1-65535"),
        ({"Matcher": {"HttpCode": "200,x"}}, "ValidationError", "'200,x' is invalid"),
        (
            {"TargetType": "lambda", "Protocol": None, "Port": None, "VpcId": None},
            "InvalidConfigurationRequest",
            "support target groups of type lambda",
        ),
    ],
)
def test_an_unsupported_target_group_is_refused(emulator, elbv2, changes, code, says):
    """It is not stored, and later calls are not disturbed."""
    good = {"Protocol": "HTTP", "Port": 80, "VpcId": emulator.vpc, "TargetType": "ip"}
    request = {k: v for k, v in (good | changes).items() if v is not None}

    with pytest.raises(ClientError, match=says) as caught:
        elbv2.create_target_group(Name="refused", **request)
    made = elbv2.create_target_group(Name="refused", **good)["TargetGroups"][0]

    assert code == caught.value.response["Error"]["Code"]
    elbv2.delete_target_group(TargetGroupArn=made["TargetGroupArn"])


NO_LAST_ACTION = "InvalidLoadBalancerAction.*support authenticate-cognito"
NO_ACTION = "ValidationError.*An action must be specified"
NO_CIDR = "ValidationError.*'x' is not a CIDR block"


@pytest.mark.parametrize(
    ("operation", "request_", "refusal"),
    [
        ("create_listener", {"DefaultActions": []}, NO_ACTION),
        ("create_listener", {"DefaultActions": [COGNITO]}, NO_LAST_ACTION),
        ("modify_listener", {"DefaultActions": [COGNITO]}, NO_LAST_ACTION),
        ("modify_listener", {"DefaultActions": [forward("x")]}, "TargetGroupNotFound"),
        (
            "modify_listener",
            {"DefaultActions": [{"Type": "redirect"}]},
            "RedirectConfig must be specified",
        ),
        ("create_rule", {"Conditions": [PATH], "Actions": []}, NO_ACTION),
        ("create_rule", {"Conditions": [PATH], "Actions": [COGNITO]}, NO_LAST_ACTION),
        (
            "create_rule",
            {"Conditions": [source_ip("x")], "Actions": [fixed("x")]},
            NO_CIDR,
        ),
        ("modify_rule", {"Actions": [COGNITO]}, NO_LAST_ACTION),
        ("modify_rule", {"Conditions": [source_ip("x")]}, NO_CIDR),
    ],
)
def test_a_refused_call_changes_nothing(elbv2, balancer, operation, request_, refusal):
    """The listener and its rule do what they did, and later calls succeed."""
    made = listener(elbv2, balancer, fixed("default"))
    arn = made["ListenerArn"]
    rule = elbv2.create_rule(
        ListenerArn=arn, Priority=1, Conditions=[PATH], Actions=[fixed("rule")]
    )["Rules"][0]
    where = {
        "create_listener": {
            "LoadBalancerArn": balancer["LoadBalancerArn"],
            "Protocol": "HTTP",
            "Port": free_port(),
        },
        "create_rule": {"ListenerArn": arn, "Priority": 2},
        "modify_rule": {"RuleArn": rule["RuleArn"]},
    }
    before = elbv2.describe_rules(ListenerArn=arn)["Rules"]

    with pytest.raises(ClientError, match=refusal):
        getattr(elbv2, operation)(
            **where.get(operation, {"ListenerArn": arn}), **request_
        )

    assert before == elbv2.describe_rules(ListenerArn=arn)["Rules"]
    assert ("default", "rule") == (fetch(made["Port"]), fetch(made["Port"], "/tea"))
    found = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])
    assert [arn] == [each["ListenerArn"] for each in found["Listeners"]]


def test_a_listener_whose_move_is_refused_stays(elbv2, balancer):
    """A change to a port that is taken leaves the listener where it was."""
    made = listener(elbv2, balancer, fixed("hello"))
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ClientError, match="cannot open"),
    ):
        elbv2.modify_listener(
            ListenerArn=made["ListenerArn"], Port=taken.getsockname()[1]
        )

    described = elbv2.describe_listeners(ListenerArns=[made["ListenerArn"]])

    assert made["Port"] == described["Listeners"][0]["Port"]
    assert "hello" == fetch(made["Port"])


def test_what_another_service_stores_disturbs_no_call(emulator, elbv2, balancer):
    """Other load balancers work beside a UDP target group of CloudFormation."""
    group = {
        "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
        "Properties": {"Protocol": "UDP", "Port": 53, "VpcId": emulator.vpc},
    }
    cloudformation = emulator.client("cloudformation")
    cloudformation.create_stack(
        StackName="dns", TemplateBody=json.dumps({"Resources": {"Group": group}})
    )

    made = listener(elbv2, balancer, fixed("hello"))
    cloudformation.delete_stack(StackName="dns")

    assert "hello" == fetch(made["Port"])


def test_a_port_that_no_target_can_have_is_refused(emulator, elbv2):
    """Its health checks could not run."""
    arn = target_group(emulator, elbv2)

    with pytest.raises(ClientError, match="1-65535"):
        elbv2.register_targets(
            TargetGroupArn=arn, Targets=[{"Id": "127.0.0.1", "Port": 70000}]
        )
