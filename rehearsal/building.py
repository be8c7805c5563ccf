"""Build a scenario's whole setting on a stage, with the calls a team would make."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.scenario import ListenerFile, Scenario
from rehearsal.settings import ACCOUNT
from rehearsal.stage import Stage

#: Where the plan lies on the stage; the hooks are told the same.
PLAN_PREFIX = "/hookgate/plans"
#: SSM's bound on a parameter of the standard tier, in bytes.
STANDARD_TIER = 4096
#: How the two target groups are called after the service.
SUFFIXES = ("a", "b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What stands on the stage; target groups by name."""

    target_groups: Mapping[str, str]
    production_arn: str
    production_port: int
    test_port: int | None


def build(stage: Stage, scenario: Scenario) -> Built:
    """Build load balancer, service, application, deployment group and plan."""
    vpc, subnets = _network(stage)
    balancer = _balancer(stage, subnets)
    content = scenario.content.load_balancer
    groups = {
        name: _target_group(stage, scenario, name, vpc) for name in _names(scenario)
    }
    first = next(iter(groups.values()))
    production, production_port = _listener(stage, balancer, content.production, first)
    test = content.test and _listener(stage, balancer, content.test, first)
    _service(stage, scenario, first, subnets)
    _deployment_group(stage, scenario, production, test[0] if test else None)
    _plan(stage, scenario)
    return Built(
        target_groups=groups,
        production_arn=production,
        production_port=production_port,
        test_port=test[1] if test else None,
    )


def register_task_definition(stage: Stage, scenario: Scenario, image: str) -> str:
    """Register a revision of the service's task definition; returns its ARN."""
    service = scenario.content.service
    container = {
        "name": service.container,
        "image": image,
        "essential": True,
        "portMappings": [{"containerPort": service.port, "protocol": "tcp"}],
    }
    answer = stage.client("ecs").register_task_definition(
        family=service.name,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[container],
    )
    arn: str = answer["taskDefinition"]["taskDefinitionArn"]
    return arn


def _names(scenario: Scenario) -> list[str]:
    return [f"{scenario.content.service.name}-{suffix}" for suffix in SUFFIXES]


def _network(stage: Stage) -> tuple[str, list[str]]:
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
    return vpc, subnets


def _balancer(stage: Stage, subnets: list[str]) -> str:
    answer = stage.client("elbv2").create_load_balancer(
        Name="rehearsal", Subnets=subnets, Scheme="internal", Type="application"
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
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "5"}
    elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[delay])
    return arn


def _listener(
    stage: Stage, balancer: str, listener: ListenerFile, group: str
) -> tuple[str, int]:
    port = listener.port or _free_port(stage.settings.host)
    answer = stage.client("elbv2").create_listener(
        LoadBalancerArn=balancer,
        Protocol=listener.protocol,
        Port=port,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return answer["Listeners"][0]["ListenerArn"], port


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _service(stage: Stage, scenario: Scenario, group: str, subnets: list[str]) -> None:
    service = scenario.content.service
    ecs = stage.client("ecs")
    ecs.create_cluster(clusterName=service.cluster)
    balancer = {
        "targetGroupArn": group,
        "containerName": service.container,
        "containerPort": service.port,
    }
    ecs.create_service(
        cluster=service.cluster,
        serviceName=service.name,
        taskDefinition=register_task_definition(
            stage, scenario, scenario.content.starts_with
        ),
        desiredCount=service.desired_count,
        launchType="FARGATE",
        loadBalancers=[balancer],
        deploymentController={"type": "CODE_DEPLOY"},
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets}},
    )


def _deployment_group(
    stage: Stage, scenario: Scenario, production: str, test: str | None
) -> None:
    group, service = scenario.content.deployment_group, scenario.content.service
    pair: dict[str, Any] = {
        "targetGroups": [{"name": name} for name in _names(scenario)],
        "prodTrafficRoute": {"listenerArns": [production]},
    }
    if test:
        pair["testTrafficRoute"] = {"listenerArns": [test]}
    codedeploy = stage.client("codedeploy")
    codedeploy.create_application(
        applicationName=group.application, computePlatform="ECS"
    )
    termination = {
        "action": "TERMINATE",
        "terminationWaitTimeInMinutes": round(group.termination_wait / 60),
    }
    ready = {"actionOnTimeout": "CONTINUE_DEPLOYMENT", "waitTimeInMinutes": 0}
    codedeploy.create_deployment_group(
        applicationName=group.application,
        deploymentGroupName=group.name,
        deploymentConfigName=group.configuration,
        serviceRoleArn=f"arn:aws:iam::{ACCOUNT}:role/CodeDeploy",
        ecsServices=[{"serviceName": service.name, "clusterName": service.cluster}],
        loadBalancerInfo={"targetGroupPairInfoList": [pair]},
        deploymentStyle={
            "deploymentType": "BLUE_GREEN",
            "deploymentOption": "WITH_TRAFFIC_CONTROL",
        },
        blueGreenDeploymentConfiguration={
            "terminateBlueInstancesOnDeploymentSuccess": termination,
            "deploymentReadyOption": ready,
        },
        autoRollbackConfiguration={
            "enabled": bool(group.rollback_on),
            "events": list(group.rollback_on),
        },
    )


def _plan(stage: Stage, scenario: Scenario) -> None:
    group = scenario.content.deployment_group
    text = scenario.plan.read_text(encoding="utf-8")
    stage.client("ssm").put_parameter(
        Name=f"{PLAN_PREFIX}/{group.application}/{group.name}",
        Value=text,
        Type="String",
        Tier="Standard" if len(text.encode()) <= STANDARD_TIER else "Advanced",
    )
