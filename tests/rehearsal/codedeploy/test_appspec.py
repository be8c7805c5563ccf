"""AppSpecs as users write them, and as they should not."""

import json

import pytest

from hookgate_rehearsal.codedeploy.appspec import AppSpecError, parse_app_spec
from hookgate_rehearsal.codedeploy.model.deployment import EventName

YAML = """
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:2"
        LoadBalancerInfo: {ContainerName: web, ContainerPort: 80}
        PlatformVersion: LATEST
        NetworkConfiguration:
          awsvpcConfiguration:
            {Subnets: [s-1], SecurityGroups: [], AssignPublicIp: ENABLED}
        CapacityProviderStrategy: [{CapacityProvider: FARGATE_SPOT, Weight: 2}]
Hooks:
  - BeforeInstall: first
  - AfterAllowTestTraffic: second
"""


def document(**changes):
    """An AppSpec as JSON with some of its properties changed."""
    properties = {
        "TaskDefinition": "arn",
        "LoadBalancerInfo": {"ContainerName": "web", "ContainerPort": 80},
    } | changes
    target = {"Type": "AWS::ECS::Service", "Properties": properties}
    return json.dumps({"version": 0.0, "Resources": [{"TargetService": target}]})


def test_yaml_is_read_in_full():
    """Every documented property arrives."""
    spec = parse_app_spec(YAML)

    assert ("web", 80) == (spec.container_name, spec.container_port)
    assert {
        EventName.BEFORE_INSTALL: "first",
        EventName.AFTER_ALLOW_TEST_TRAFFIC: "second",
    } == spec.hooks
    assert {
        "platformVersion": "LATEST",
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["s-1"],
                "securityGroups": [],
                "assignPublicIp": "ENABLED",
            }
        },
        "capacityProviderStrategy": [
            {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 2}
        ],
    } == spec.task_set_options


def test_json_is_read():
    """JSON is as good as YAML."""
    assert "arn" == parse_app_spec(document()).task_definition


def test_the_case_of_keys_does_not_matter():
    """Lower-case keys mean the same."""
    lowered = YAML.replace("Resources", "resources").replace("Hooks", "hooks")

    assert parse_app_spec(YAML) == parse_app_spec(lowered)


def test_what_only_lint_reports_is_read():
    """A quoted port, an unknown key and two events in one hook are accepted."""
    quoted = YAML.replace("ContainerPort: 80", "ContainerPort: '80'")
    joined = quoted.replace("  - AfterAllowTestTraffic", "    AfterAllowTestTraffic")

    assert parse_app_spec(YAML) == parse_app_spec(f"{joined}Unknown: 1\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("", "HG-YAML-EMPTY", id="empty"),
        pytest.param("{", "HG-YAML-SYNTAX", id="malformed"),
        pytest.param(YAML.replace("0.0", "1.0"), "version must be 0.0", id="version"),
        pytest.param(
            YAML.replace("AfterAllowTestTraffic", "BeforeInstall"),
            "BeforeInstall already has a function",
            id="event twice",
        ),
        pytest.param("version: 0.0", "must contain one service", id="no resource"),
        pytest.param(document(TaskDefinition=""), "TaskDefinition", id="no definition"),
        pytest.param(
            document(LoadBalancerInfo={"ContainerName": "web"}),
            "ContainerPort",
            id="no port",
        ),
        pytest.param(
            document(LoadBalancerInfo={"ContainerPort": 80}),
            "ContainerName",
            id="no name",
        ),
        pytest.param(
            YAML.replace("BeforeInstall", "BeforeInstal"),
            "unknown lifecycle event",
            id="unknown hook",
        ),
        pytest.param(
            YAML.replace("first", "''"), "must have the name", id="empty function"
        ),
        pytest.param(
            YAML.replace("AWS::ECS::Service", "AWS::Lambda::Function"),
            "AWS::ECS::Service",
            id="another type",
        ),
        pytest.param("a: &x 1\nb: *x", "HG-YAML-FEATURE", id="alias"),
        pytest.param("#" * 300_000, "HG-FILE-SIZE", id="too long"),
        pytest.param("[" * 10_000, "HG-YAML-SIZE", id="too deep"),
    ],
)
def test_a_wrong_app_spec_is_refused(content, message):
    """The error says what is wrong."""
    with pytest.raises(AppSpecError, match=message):
        parse_app_spec(content)


VPC = {"Subnets": ["s"], "SecurityGroups": ["g"], "AssignPublicIp": "ENABLED"}
SPOT = {"CapacityProvider": "FARGATE_SPOT", "Weight": 1}


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        pytest.param({"PlatformVersion": 1.4}, "PlatformVersion", id="platform"),
        pytest.param({"NetworkConfiguration": []}, "a mapping", id="network"),
        pytest.param({"NetworkConfiguration": {}}, "AwsvpcConf", id="empty network"),
        pytest.param(
            {"NetworkConfiguration": {"AwsvpcConfiguration": VPC | {"Subnets": "s"}}},
            "Subnets must be a list",
            id="one subnet",
        ),
        pytest.param(
            {"NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["s"]}}},
            "AssignPublicIp must be ENABLED or DISABLED",
            id="only subnets",
        ),
        pytest.param({"CapacityProviderStrategy": []}, "a list of 1", id="no provider"),
        pytest.param(
            {"CapacityProviderStrategy": [{"Weight": 1}]},
            "CapacityProvider is missing",
            id="provider without a name",
        ),
        pytest.param(
            {"CapacityProviderStrategy": [SPOT | {"Weight": "many"}]},
            "Weight must be a whole number",
            id="weight",
        ),
        pytest.param(
            {"CapacityProviderStrategy": [SPOT | {"Weight": 0}]},
            "needs a Weight over 0",
            id="no weight",
        ),
        pytest.param(
            {"CapacityProviderStrategy": [SPOT | {"Base": 1}, SPOT | {"Base": 2}]},
            "at most one",
            id="two bases",
        ),
    ],
)
def test_a_wrong_property_is_refused(properties, message):
    """Properties that CreateTaskSet refuses are refused before the deployment."""
    with pytest.raises(AppSpecError, match=message):
        parse_app_spec(document(**properties))
