"""An AWS account in which one ECS service is being deployed blue/green.

Every answer is held against botocore's own model, so that a test cannot be written
against a shape that AWS does not have.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import botocore.session
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.validate import validate_parameters

from hookgate.aws.calls import refusal

REGION, ACCOUNT = "eu-west-1", "123456789012"
DEPLOYMENT = "d-75I7MBT7C"
_ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
BALANCER = f"{_ELB}:loadbalancer/app/shop/50dc6c495c0c9188"
PRODUCTION = f"{_ELB}:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"
TEST = f"{_ELB}:listener/app/shop/50dc6c495c0c9188/0467ef3c8400ae65"
RULE = (
    f"{_ELB}:listener-rule/app/shop/50dc6c495c0c9188/0467ef3c8400ae65/9683b2d02a6cabee"
)
TASK_DEFINITION = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/storefront:7"
STARTED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

APPSPEC = f"""
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: "{TASK_DEFINITION}"
        LoadBalancerInfo:
          ContainerName: web
          ContainerPort: 8080
Hooks:
  - AfterAllowTestTraffic: CodeDeployHook_hookgate_AfterAllowTestTraffic
"""

Answer = Mapping[str, Any] | ClientError | Callable[..., Mapping[str, Any]]


def group_arn(name: str) -> str:
    """The ARN of the target group of that name."""
    return f"{_ELB}:targetgroup/{name}/73e2d6bc24d8a067"


def denied(operation: str, message: str = "", code: str = "AccessDeniedException"):
    """What botocore raises when AWS refuses."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def task_set(id_: str, status: str, group: str, **more: Any) -> dict[str, Any]:
    """A task set as ECS describes it."""
    return {
        "id": id_,
        "taskSetArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-set/shop/storefront/{id_}",
        "status": status,
        "taskDefinition": TASK_DEFINITION,
        "computedDesiredCount": 2,
        "runningCount": 2,
        "pendingCount": 0,
        "loadBalancers": [{"targetGroupArn": group_arn(group)}],
        **more,
    }


def forward(**weights: int) -> dict[str, Any]:
    """A forward action with a weight for each target group name."""
    groups = [
        {"TargetGroupArn": group_arn(name.replace("_", "-")), "Weight": weight}
        for name, weight in weights.items()
    ]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


def listener(arn: str, port: int, action: Mapping[str, Any], protocol: str = "HTTP"):
    """A listener as the load balancer describes it."""
    return {
        "ListenerArn": arn,
        "LoadBalancerArn": BALANCER,
        "Port": port,
        "Protocol": protocol,
        "DefaultActions": [action],
    }


def rule(arn: str, action: Mapping[str, Any], *conditions: Mapping[str, Any]):
    """A rule as the load balancer describes it."""
    return {
        "RuleArn": arn,
        "Priority": "1" if conditions else "default",
        "Conditions": list(conditions),
        "Actions": [action],
        "IsDefault": not conditions,
    }


class World:
    """Answers the calls of a deployment at AfterAllowTestTraffic; tests bend it.

    ``answers`` maps ``(service, operation)`` to an answer, a function that makes one,
    or an exception. ``calls`` lists what was asked. ``broken`` names what happens to
    the response to a report that takes effect, one of ``answering.BROKEN``.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.deployment = {
            "deploymentId": DEPLOYMENT,
            "applicationName": "storefront",
            "deploymentGroupName": "production",
            "deploymentConfigName": "CodeDeployDefault.ECSAllAtOnce",
            "status": "InProgress",
            "computePlatform": "ECS",
            "revision": {
                "revisionType": "AppSpecContent",
                "appSpecContent": {"sha256": "ab" * 32},
            },
        }
        self.pair: dict[str, Any] = {
            "targetGroups": [{"name": "green-tg"}, {"name": "blue-tg"}],
            "prodTrafficRoute": {"listenerArns": [PRODUCTION]},
            "testTrafficRoute": {"listenerArns": [TEST]},
        }
        self.group = {
            "applicationName": "storefront",
            "deploymentGroupName": "production",
            "ecsServices": [{"serviceName": "storefront", "clusterName": "shop"}],
            "loadBalancerInfo": {"targetGroupPairInfoList": [self.pair]},
        }
        self.events = [
            {"lifecycleEventName": "AfterInstall", "status": "Succeeded"},
            {
                "lifecycleEventName": "AfterAllowTestTraffic",
                "status": "InProgress",
                "startTime": STARTED,
            },
            {"lifecycleEventName": "BeforeAllowTraffic", "status": "Pending"},
        ]
        self.task_sets = [
            task_set("ecs-svc/1", "PRIMARY", "blue-tg"),
            task_set("ecs-svc/2", "ACTIVE", "green-tg", externalId=DEPLOYMENT),
        ]
        self.listeners = [
            listener(PRODUCTION, 80, forward(blue_tg=100, green_tg=0)),
            listener(TEST, 8080, forward(green_tg=100)),
        ]
        self.rules: list[dict[str, Any]] = []
        self.content = APPSPEC
        self.answers: dict[tuple[str, str], Answer] = {}
        self.broken = ""

    def __call__(
        self, service: str, operation: str, /, **parameters: Any
    ) -> Mapping[str, Any]:
        self.calls.append((service, operation, parameters))
        default = getattr(self, f"_{operation}", None)
        answer = self.answers.get((service, operation), default)
        if callable(answer):
            answer = answer(**parameters)
        if isinstance(answer, ClientError):
            raise refusal(answer, service, parameters) from answer
        assert answer is not None, f"the world has no answer to {service} {operation}"
        return validated(service, operation, parameters, answer)

    def _get_deployment(self, **_: Any) -> dict[str, Any]:
        return {"deploymentInfo": self.deployment}

    def _put_lifecycle_event_hook_execution_status(self, **asked: Any) -> Any:
        id_ = asked["lifecycleEventHookExecutionId"]
        open_ = [each for each in self.events if each["status"] == "InProgress"]
        if self.events and not open_:
            code = "LifecycleEventAlreadyCompletedException"
            return denied("PutLifecycleEventHookExecutionStatus", code=code)
        for each in open_:
            each["status"] = asked["status"]
        return {"lifecycleEventHookExecutionId": id_}

    def _get_deployment_group(self, **_: Any) -> dict[str, Any]:
        return {"deploymentGroupInfo": self.group}

    def _get_deployment_target(self, **_: Any) -> dict[str, Any]:
        target = {"lifecycleEvents": self.events, "status": "InProgress"}
        return {
            "deploymentTarget": {
                "deploymentTargetType": "ECSTarget",
                "ecsTarget": target,
            }
        }

    def _get_application_revision(self, **_: Any) -> dict[str, Any]:
        content = {"content": self.content, "sha256": "ab" * 32}
        return {
            "revision": {"revisionType": "AppSpecContent", "appSpecContent": content}
        }

    def _describe_services(self, **_: Any) -> dict[str, Any]:
        return {"services": [{"taskSets": self.task_sets}]}

    def _describe_target_groups(self, **asked: Any) -> dict[str, Any]:
        return {
            "TargetGroups": [
                {
                    "TargetGroupArn": group_arn(name),
                    "TargetGroupName": name,
                    "Protocol": "HTTP",
                    "Port": 8080,
                    "HealthCheckPath": "/health",
                    "HealthCheckIntervalSeconds": 10,
                    "HealthyThresholdCount": 3,
                    "LoadBalancerArns": [BALANCER],
                }
                for name in asked["Names"]
            ]
        }

    def _describe_listeners(self, **asked: Any) -> dict[str, Any]:
        found = [
            each
            for each in self.listeners
            if each["ListenerArn"] in asked["ListenerArns"]
        ]
        return {"Listeners": found}

    def _describe_rules(self, **_: Any) -> dict[str, Any]:
        return {"Rules": self.rules}

    def _describe_load_balancers(self, **_: Any) -> dict[str, Any]:
        balancer = {"LoadBalancerArn": BALANCER, "DNSName": "shop.elb.example.com"}
        return {"LoadBalancers": [balancer]}

    def _describe_task_definition(self, **_: Any) -> dict[str, Any]:
        container = {
            "name": "web",
            "image": "registry.example.com:5000/shop/storefront:1.2.0",
            "portMappings": [{"containerPort": 8080}],
            "environment": [{"name": "ENVIRONMENT", "value": "production"}],
            "dockerLabels": {"team": "tea"},
        }
        return {
            "taskDefinition": {
                "taskDefinitionArn": TASK_DEFINITION,
                "family": "storefront",
                "revision": 7,
                "containerDefinitions": [container],
            }
        }


def validated(
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    answer: Mapping[str, Any],
) -> Mapping[str, Any]:
    """``answer``, once question and answer fit botocore's model."""
    model = botocore.session.get_session().get_service_model(service)
    name = next(
        each
        for each in model.operation_names
        if each.lower() == operation.replace("_", "")
    )
    operation_model = model.operation_model(name)
    validate_parameters(dict(parameters), operation_model.input_shape)
    plain = {key: value for key, value in answer.items() if key != "Body"}
    validate_parameters(plain, operation_model.output_shape)
    return answer


def body(content: bytes) -> dict[str, Any]:
    """The answer of S3's GetObject."""
    return {"Body": StreamingBody(io.BytesIO(content), len(content))}
