"""Build a scenario's load balancer on a stage, with the calls a team would make."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from rehearsal.scenario import Scenario
from rehearsal.scenario_file import ListenerFile
from rehearsal.stage import Stage

#: How the two target groups are called after the service.
_SUFFIXES = ("a", "b")
_DRAIN = {"Key": "deregistration_delay.timeout_seconds", "Value": "5"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A listener, and the port it has on this machine."""

    arn: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """A load balancer in its subnets; target groups' ARNs by name, blue's first."""

    subnets: tuple[str, ...]
    target_groups: Mapping[str, str]
    production: Listener
    test: Listener | None


def build_balancer(stage: Stage, scenario: Scenario) -> Balancer:
    """Build the network, the load balancer, its target groups and its listeners."""
    content = scenario.content.load_balancer
    vpc, subnets = _network(stage)
    arn = _load_balancer(stage, subnets, content.production)
    groups = {
        name: _target_group(stage, scenario, name, vpc)
        for name in (f"{scenario.content.service.name}-{each}" for each in _SUFFIXES)
    }
    first = next(iter(groups.values()))
    return Balancer(
        subnets=subnets,
        target_groups=groups,
        production=_listener(stage, arn, content.production, first),
        test=_listener(stage, arn, content.test, first) if content.test else None,
    )


def _network(stage: Stage) -> tuple[str, tuple[str, ...]]:
    ec2 = stage.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"10.0.{number}.0/24",
            AvailabilityZone=f"{stage.settings.region}{zone}",
        )["Subnet"]["SubnetId"]
        for number, zone in enumerate("ab")
    ]
    return vpc, tuple(subnets)


def _load_balancer(
    stage: Stage, subnets: tuple[str, ...], production: ListenerFile
) -> str:
    answer = stage.client("elbv2").create_load_balancer(
        Name="rehearsal",
        Subnets=list(subnets),
        Scheme="internal",
        Type="application" if production.protocol == "HTTP" else "network",
    )
    arn: str = answer["LoadBalancers"][0]["LoadBalancerArn"]
    return arn


def _target_group(stage: Stage, scenario: Scenario, name: str, vpc: str) -> str:
    check = scenario.content.load_balancer.health_check
    elbv2 = stage.client("elbv2")
    answer = elbv2.create_target_group(
        Name=name,
        Protocol=scenario.content.load_balancer.production.protocol,
        Port=scenario.content.service.port,
        VpcId=vpc,
        TargetType="ip",
        HealthCheckProtocol="HTTP",
        HealthCheckPath=check.path,
        HealthCheckIntervalSeconds=round(check.interval),
        HealthCheckTimeoutSeconds=round(check.timeout),
        HealthyThresholdCount=check.healthy_threshold,
        UnhealthyThresholdCount=check.unhealthy_threshold,
        Matcher={"HttpCode": check.matcher},
    )
    arn: str = answer["TargetGroups"][0]["TargetGroupArn"]
    elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[_DRAIN])
    return arn


def _listener(
    stage: Stage, balancer: str, listener: ListenerFile, group: str
) -> Listener:
    port = listener.port or _free_port(stage.settings.host)
    answer = stage.client("elbv2").create_listener(
        LoadBalancerArn=balancer,
        Protocol=listener.protocol,
        Port=port,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return Listener(arn=answer["Listeners"][0]["ListenerArn"], port=port)


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
