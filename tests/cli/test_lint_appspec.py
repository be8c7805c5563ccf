"""AppSpecs, right and wrong."""

import json

import pytest

from hookgate.errors import PlanError
from hookgate_cli.lint import check_appspec

GOOD = """\
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: arn:aws:ecs:us-east-1:123456789012:task-definition/shop:3
        LoadBalancerInfo:
          ContainerName: web
          ContainerPort: 8080
Hooks:
  - BeforeInstall: CodeDeployHook_one
  - AfterAllowTraffic: arn:aws:lambda:us-east-1:123456789012:function:two
"""
ARN = "arn:aws:ecs:us-east-1:123456789012:task-definition/shop:3"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(GOOD, id="YAML"),
        pytest.param(GOOD.replace(ARN, "<TASK_DEFINITION>"), id="CodePipeline's"),
        pytest.param(GOOD.partition("Hooks")[0], id="without hooks"),
        pytest.param(
            GOOD.lower()
            .replace("aws::ecs::service", "AWS::ECS::Service")
            .replace(ARN.lower(), ARN),
            id="keys in lower case",
        ),
        pytest.param(
            '{\n\t"version": 0.0,\n\t"Resources": [{"T": {"Type": "AWS::ECS::Service", '
            '"Properties": {"TaskDefinition": "<TASK_DEFINITION>", "LoadBalancerInfo": '
            '{"ContainerName": "web", "ContainerPort": 80}}}}]\n}',
            id="JSON indented by tabs",
        ),
    ],
)
def test_right_appspec_is_fine(content):
    """What CodeDeploy takes is not refused, and its hooks are found."""
    hooked = {"BeforeInstall", "AfterAllowTraffic"} if "ooks:" in content else set()
    assert hooked == check_appspec(content.encode(), "appspec.yaml").keys()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("0.0", "1", "1:10 HG-APPSPEC-VERSION", id="version"),
        pytest.param(
            "Hooks:", "Hook:", "10:1 HG-APPSPEC-UNKNOWN-KEY", id="unknown key"
        ),
        pytest.param(
            "AWS::ECS::Service",
            "AWS::Lambda::Function",
            "4:13 HG-APPSPEC-RESOURCES",
            id="type",
        ),
        pytest.param(
            ":3",
            "",
            "6:25 HG-APPSPEC-TASK-DEFINITION",
            id="task definition without a revision",
        ),
        pytest.param(
            "ContainerName: web",
            "ContainerName:",
            "8:11 HG-APPSPEC-CONTAINER",
            id="container",
        ),
        pytest.param("8080", '"8080"', "9:26 HG-APPSPEC-CONTAINER", id="port as text"),
        pytest.param(
            "ContainerPort: 8080", "", "8:11 HG-APPSPEC-CONTAINER", id="no port"
        ),
        pytest.param(
            "BeforeInstall", "BeforeInstal", "11:5 HG-APPSPEC-EVENT", id="unknown event"
        ),
        pytest.param(
            "AfterAllowTraffic",
            "BeforeInstall",
            "12:5 HG-APPSPEC-EVENT",
            id="event twice",
        ),
        pytest.param(
            "CodeDeployHook_one", "", "11:19 HG-APPSPEC-FUNCTION", id="no function"
        ),
        pytest.param(
            "        LoadBalancerInfo",
            "        Loadbalancer: {}\n        LoadBalancerInfo",
            "7:9 HG-APPSPEC-UNKNOWN-KEY",
            id="unknown property",
        ),
        pytest.param(
            "        LoadBalancerInfo",
            "        CapacityProviderStrategy: "
            "[{CapacityProvider: FARGATE}]\n        LoadBalancerInfo",
            "7:35 HG-APPSPEC-PROPERTY",
            id="strategy without a weight",
        ),
        pytest.param(
            "        LoadBalancerInfo",
            "        networkConfiguration: "
            "{awsvpcConfiguration: {subnets: [s], assignPublicIp: yes}}\n"
            "        LoadBalancerInfo",
            "7:31 HG-APPSPEC-PROPERTY",
            id="network in part",
        ),
        pytest.param(
            "Hooks:\n  - ",
            "Hooks:\n    ",
            "11:5 HG-APPSPEC-HOOKS",
            id="hooks as a mapping",
        ),
        pytest.param(
            "- TargetService:",
            "- Other: {}\n  - TargetService:",
            "3:3 HG-APPSPEC-RESOURCES",
            id="two services",
        ),
    ],
)
def test_each_mistake_is_reported(old, new, expected):
    """A wrong AppSpec is refused, and the problem names its place."""
    assert old in GOOD
    content = GOOD.replace(old, new)
    if new.startswith("Hooks:\n    "):
        content = content.partition("  - AfterAllowTraffic")[0]
    with pytest.raises(PlanError) as refused:
        check_appspec(content.encode(), "a.yaml")
    problems = [
        f"{each.place.line}:{each.place.column} {each.code}"
        for each in refused.value.problems
    ]
    assert [expected] == problems


@pytest.mark.parametrize("value", [None, 7, "text", [], {}, [None], [{}], [7]])
@pytest.mark.parametrize("key", ["Resources", "Hooks"])
def test_anything_is_an_appspec_or_refused(key, value):
    """Whatever stands under a key, there is an answer and no crash."""
    service = {"TaskDefinition": "<TASK_DEFINITION>"}
    data = {
        "version": 0.0,
        "Resources": [{"T": {"Type": "AWS::ECS::Service", "Properties": service}}],
    } | {key: value}
    with pytest.raises(PlanError):
        check_appspec(json.dumps(data).encode(), "a.json")
