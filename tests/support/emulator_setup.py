"""A small service on an emulator, created through boto3."""

from __future__ import annotations

import json
import socket
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hookgate_rehearsal.codedeploy.settings import EngineSettings
from hookgate_rehearsal.ecs.containers import Image
from hookgate_rehearsal.ecs.scheduler import EcsSettings
from hookgate_rehearsal.emulator import Emulator, EmulatorSettings
from hookgate_rehearsal.functions.function import Function

HERE = Path(__file__).parent
TIMEOUT = 60.0  # seconds; far more than anything takes
SETTINGS = EmulatorSettings(
    health_check_pace=0.1,
    engine=EngineSettings(install_timeout=30.0, poll_interval=0.05),
    ecs=EcsSettings(steady_after=0.3),
)
OVER = {"Succeeded", "Failed", "Stopped"}


def image(version: str) -> Image:
    """The tiny application in a version."""
    command = (sys.executable, str(HERE / "tiny_app.py"))
    return Image(command=command, environment={"VERSION": version})


IMAGES = {f"shop:{v}": image(v) for v in ("1", "2", "3", "crash", "unwell")}


def function(name: str, **changes: Any) -> Function:
    """One of the test handlers as a function."""
    return Function(
        **{
            "name": f"CodeDeployHook_{name}",
            "handler": f"hook_handlers.{name}",
            "path": (HERE,),
        }
        | changes
    )


def wait_for(condition: Callable[[], Any]) -> Any:
    """Wait until a condition holds; its value."""
    deadline = time.monotonic() + TIMEOUT
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"never satisfied: {condition}")
        time.sleep(0.02)
    return value


def free_port() -> int:
    """A port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def fetch(port: int, path: str = "/") -> str:
    """What a listener answers."""
    url = f"http://127.0.0.1:{port}{path}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


@dataclass
class Setting:
    """A service ``shop`` on the cluster ``main`` with two listeners."""

    emulator: Emulator
    desired: int = 1
    groups: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    listeners: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = ("ecs", "elbv2", "codedeploy")
        self.ecs, self.elbv2, self.codedeploy = map(self.emulator.client, names)

    def build(self, version: str = "1") -> Setting:
        """Everything, from the cluster to the deployment group."""
        self.ecs.create_cluster(clusterName="main")
        balancer = self.elbv2.create_load_balancer(
            Name="shop", Subnets=list(self.emulator.subnets[:2])
        )["LoadBalancers"][0]["LoadBalancerArn"]
        for name in ("blue", "green"):
            self.groups[name] = self._target_group(name)
        for name in ("production", "test"):
            self.ports[name] = free_port()
            self.listeners[name] = self.elbv2.create_listener(
                LoadBalancerArn=balancer,
                Protocol="HTTP",
                Port=self.ports[name],
                DefaultActions=[
                    {"Type": "forward", "TargetGroupArn": self.groups["blue"]}
                ],
            )["Listeners"][0]["ListenerArn"]
        self._service(version)
        self.codedeploy.create_application(
            applicationName="shop", computePlatform="ECS"
        )
        self.codedeploy.create_deployment_group(**self.group())
        return self

    def _target_group(self, name: str) -> str:
        made = self.elbv2.create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=80,
            VpcId=self.emulator.vpc,
            TargetType="ip",
            HealthCheckPath="/",
            HealthCheckIntervalSeconds=5,
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def _service(self, version: str) -> None:
        balancer = {
            "targetGroupArn": self.groups["blue"],
            "containerName": "web",
            "containerPort": 80,
        }
        self.ecs.create_service(
            cluster="main",
            serviceName="shop",
            taskDefinition=self.task_definition(version),
            desiredCount=self.desired,
            launchType="FARGATE",
            deploymentController={"type": "CODE_DEPLOY"},
            loadBalancers=[balancer],
        )
        wait_for(lambda: self.task_sets()[0]["stabilityStatus"] == "STEADY_STATE")

    def task_definition(self, version: str) -> str:
        """Register a version; its ARN."""
        container = {
            "name": "web",
            "image": f"shop:{version}",
            "memory": 64,
            "portMappings": [{"containerPort": 80}],
        }
        made = self.ecs.register_task_definition(
            family="shop", containerDefinitions=[container]
        )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def group(self, **changes: Any) -> dict[str, Any]:
        """A deployment group's members, as CreateDeploymentGroup takes them."""
        pair = {
            "targetGroups": [{"name": "blue"}, {"name": "green"}],
            "prodTrafficRoute": {"listenerArns": [self.listeners["production"]]},
            "testTrafficRoute": {"listenerArns": [self.listeners["test"]]},
        }
        return {
            "applicationName": "shop",
            "deploymentGroupName": "live",
            "serviceRoleArn": "arn:aws:iam::123456789012:role/CodeDeploy",
            "deploymentStyle": {
                "deploymentType": "BLUE_GREEN",
                "deploymentOption": "WITH_TRAFFIC_CONTROL",
            },
            "ecsServices": [{"clusterName": "main", "serviceName": "shop"}],
            "loadBalancerInfo": {"targetGroupPairInfoList": [pair]},
            "blueGreenDeploymentConfiguration": {
                "terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE"}
            },
            "autoRollbackConfiguration": {
                "enabled": True,
                "events": ["DEPLOYMENT_FAILURE"],
            },
        } | changes

    def app_spec(self, version: str, **hooks: str) -> str:
        """An AppSpec, with the hooks named after the test handlers."""
        properties = {
            "TaskDefinition": self.task_definition(version),
            "LoadBalancerInfo": {"ContainerName": "web", "ContainerPort": 80},
        }
        target = {"Type": "AWS::ECS::Service", "Properties": properties}
        return json.dumps(
            {
                "version": 0.0,
                "Resources": [{"TargetService": target}],
                "Hooks": [{k: f"CodeDeployHook_{v}"} for k, v in hooks.items()],
            }
        )

    def deploy(self, version: str, **hooks: str) -> str:
        """Create a deployment; its id."""
        content = {"content": self.app_spec(version, **hooks)}
        made = self.codedeploy.create_deployment(
            applicationName="shop",
            deploymentGroupName="live",
            revision={"revisionType": "AppSpecContent", "appSpecContent": content},
        )
        return str(made["deploymentId"])

    def info(self, deployment_id: str) -> dict[str, Any]:
        """GetDeployment's answer."""
        answer = self.codedeploy.get_deployment(deploymentId=deployment_id)
        return dict(answer["deploymentInfo"])

    def ended(self, deployment_id: str) -> dict[str, Any]:
        """GetDeployment's answer once the deployment, rollback included, is over."""
        wait_for(lambda: self.info(deployment_id)["status"] in OVER)
        info = self.info(deployment_id)
        rollback = info.get("rollbackInfo", {}).get("rollbackDeploymentId")
        if rollback is not None:
            wait_for(lambda: self.info(rollback)["status"] in OVER)
        return info

    def target(self, deployment_id: str) -> dict[str, Any]:
        """GetDeploymentTarget's answer."""
        answer = self.codedeploy.get_deployment_target(
            deploymentId=deployment_id, targetId="main:shop"
        )
        return dict(answer["deploymentTarget"]["ecsTarget"])

    def events(self, deployment_id: str) -> dict[str, str]:
        """The status of each lifecycle event."""
        events = self.target(deployment_id)["lifecycleEvents"]
        return {event["lifecycleEventName"]: event["status"] for event in events}

    def task_sets(self) -> list[dict[str, Any]]:
        """The service's task sets, as DescribeServices tells them."""
        found = self.ecs.describe_services(cluster="main", services=["shop"])
        return list(found["services"][0]["taskSets"])

    def weights(self, listener: str) -> dict[str, int]:
        """A listener's weights by the target groups' names."""
        found = self.elbv2.describe_listeners(ListenerArns=[self.listeners[listener]])
        forward = found["Listeners"][0]["DefaultActions"][0]["ForwardConfig"]
        names = {arn: name for name, arn in self.groups.items()}
        return {
            names[group["TargetGroupArn"]]: group["Weight"]
            for group in forward["TargetGroups"]
        }
