"""Build a scenario's whole setting on a stage, with the calls a team would make."""

from __future__ import annotations

from typing import Any

from hookgate.errors import InputError
from rehearsal.building.alarms import build_alarms
from rehearsal.building.kept_plan import SECRET_PREFIX, KeptPlan
from rehearsal.building.load_balancer import LoadBalancer, build_load_balancer
from rehearsal.scenario.scenario import Scenario
from rehearsal.settings import ACCOUNT
from rehearsal.stage import Stage


def build(stage: Stage, scenario: Scenario) -> LoadBalancer:
    """Build load balancer, service, application, deployment group, plan and secrets.

    Raises:
        InputError: an API refuses what the scenario asks for, as AWS would.
        PlanError: the plan is wrong.
    """
    import botocore.exceptions  # noqa: PLC0415 - botocore is slow to import

    try:
        balancer = build_load_balancer(stage, scenario)
        _service(stage, scenario, balancer)
        build_alarms(stage, scenario, balancer)
        _deployment_group(stage, scenario, balancer)
        group = scenario.content.deployment_group
        KeptPlan.of(scenario).put(stage, group.application, group.name)
        for name, value in scenario.secrets.items():
            stage.client("secretsmanager").create_secret(
                Name=f"{SECRET_PREFIX}{name}", SecretString=value
            )
    except botocore.exceptions.ClientError as error:
        said = error.response["Error"]
        raise InputError(
            f"{scenario.file}: {error.operation_name} was refused: {said['Message']} "
            f"({said['Code']})"
        ) from None
    return balancer


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


def _service(stage: Stage, scenario: Scenario, balancer: LoadBalancer) -> None:
    service = scenario.content.service
    ecs = stage.client("ecs")
    ecs.create_cluster(clusterName=service.cluster)
    serves = {
        "targetGroupArn": next(iter(balancer.target_groups.values())),
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
        loadBalancers=[serves],
        deploymentController={"type": "CODE_DEPLOY"},
        networkConfiguration={
            "awsvpcConfiguration": {"subnets": list(balancer.subnets)}
        },
    )


def _deployment_group(stage: Stage, scenario: Scenario, balancer: LoadBalancer) -> None:
    group, service = scenario.content.deployment_group, scenario.content.service
    pair: dict[str, Any] = {
        "targetGroups": [{"name": name} for name in balancer.target_groups],
        "prodTrafficRoute": {"listenerArns": [balancer.production.arn]},
    }
    if balancer.test:
        pair["testTrafficRoute"] = {"listenerArns": [balancer.test.arn]}
    codedeploy = stage.client("codedeploy")
    codedeploy.create_application(
        applicationName=group.application, computePlatform="ECS"
    )
    termination = {
        "action": "TERMINATE",
        "terminationWaitTimeInMinutes": scenario.termination_wait,
    }
    ready = {"actionOnTimeout": "CONTINUE_DEPLOYMENT", "waitTimeInMinutes": 0}
    codedeploy.create_deployment_group(
        applicationName=group.application,
        deploymentGroupName=group.name,
        deploymentConfigName=_configuration(codedeploy, scenario),
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
        alarmConfiguration={
            "enabled": bool(group.alarms),
            "ignorePollAlarmFailure": group.ignore_poll_alarm_failure,
            "alarms": [{"name": name} for name in group.alarms],
        },
    )


def _configuration(codedeploy: Any, scenario: Scenario) -> str:
    """The deployment configuration's name; the one of a template is made first."""
    group, hook = scenario.content.deployment_group, scenario.blue_green
    if hook is None:
        return group.configuration
    name = f"{group.name}-of-the-template"
    codedeploy.create_deployment_config(
        deploymentConfigName=name,
        computePlatform="ECS",
        trafficRoutingConfig=dict(hook.routing),
    )
    return name
