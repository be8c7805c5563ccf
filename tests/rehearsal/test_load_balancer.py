"""ELBv2 on an emulator: what is configured is what listeners really do."""

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
    """A target that is not in the group has the state unused."""
    arn = target_group(emulator, elbv2)

    found = states(elbv2, arn, Targets=[{"Id": "127.0.0.1", "Port": 9}])

    assert ["unused"] == found


def test_an_unknown_target_group_is_refused(elbv2):
    """The error is the one that ELBv2 models."""
    with pytest.raises(elbv2.exceptions.TargetGroupNotFoundException):
        elbv2.describe_target_health(TargetGroupArn="arn:unknown")
