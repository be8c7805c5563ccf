"""Whatever parameters are given, the stack is whole, and does what it is for."""

from __future__ import annotations

from typing import Any

import pytest
from support.stack import Stack, references
from support.template import template

from hookgate.aws.appspec import parse_appspec
from hookgate.model import LifecycleEvent
from hookgate_rehearsal.codedeploy.appspec import parse_app_spec

#: Every parameter that makes something or leaves it out, in the other way.
OPTIONS = {
    "AccessLogBucket": {"AccessLogBucket": "logs"},
    "Alarm": {"AlarmApplication": "shop", "AlarmDeploymentGroup": "web"},
    "AlarmTopicArn": {"AlarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:duty"},
    "Architecture": {"Architecture": "arm64"},
    "Idempotency": {"Idempotency": "false"},
    "KmsKeyArn": {"KmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/k"},
    "LogKmsKeyArn": {"LogKmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/l"},
    "PermissionsBoundaryArn": {
        "PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary"
    },
    "ReservedConcurrency": {"ReservedConcurrency": 5},
    "PlanBucket": {"PlanBucket": "plans"},
    "PlanParameterPrefix": {"PlanParameterPrefix": "/hookgate/plans"},
    "QueryLogGroups": {"QueryLogGroups": "arn:aws:logs:a:1:log-group:a:*"},
    "RevisionBucket": {"RevisionBucket": "revisions"},
    "SecondLayer": {"SecondLayer": "true"},
    "SecretPrefix": {"SecretPrefix": "shop/"},
    "SecretsCheck": {"SecretsCheck": "true"},
    "ValidatorFunctions": {"ValidatorFunctions": "arn:aws:lambda:a:1:function:f"},
    "Vpc": {"SubnetIds": "subnet-1,subnet-2", "SecurityGroupIds": "sg-1"},
}
EVERYTHING = {name: value for each in OPTIONS.values() for name, value in each.items()}
STACKS = {
    "default": {},
    **OPTIONS,
    "everything": EVERYTHING,
    "everything-x86": {**EVERYTHING, "Architecture": "x86_64"},
}


def stacks() -> Any:
    """The parameters of each stack, by name."""
    return [pytest.param(Stack.of(**given), id=name) for name, given in STACKS.items()]


def test_every_condition_is_tried() -> None:
    """Each condition holds in one of these stacks, and does not in another."""
    tried = {
        (name, Stack.of(**given).holds(name))
        for given in STACKS.values()
        for name in template()["Conditions"]
    }
    assert {(n, h) for n in template()["Conditions"] for h in (True, False)} == tried


@pytest.mark.parametrize("stack", stacks())
def test_nothing_refers_to_what_is_left_out(stack: Stack) -> None:
    """What a resource or an output refers to is made with the same parameters."""
    made = stack.resources
    assert set() == references((made, stack.outputs)) - made.keys()


@pytest.mark.parametrize("stack", stacks())
def test_layers_are_made_and_carried(stack: Stack) -> None:
    """Every layer that is made is carried by every hook, and no other."""
    kinds = template()["Resources"]
    layers = {
        name
        for name in stack.resources
        if kinds[name]["Type"] == "AWS::Serverless::LayerVersion"
    }
    for event in LifecycleEvent:
        assert layers == references(stack.resources[event]["Layers"])


@pytest.mark.parametrize("stack", stacks())
def test_layers_are_for_the_processor(stack: Stack) -> None:
    """A hook carries no layer for another processor than its own."""
    hook = stack.resources["AfterInstall"]
    for name in references(hook["Layers"]) - {"ValidatorsLayer"}:
        assert (
            hook["Architectures"] == (stack.resources[name]["CompatibleArchitectures"])
        )


@pytest.mark.parametrize("stack", stacks())
def test_fallback_report_is_never_in_the_vpc(stack: Stack) -> None:
    """The fallback report has the way to CodeDeploy that a VPC may lack."""
    assert "VpcConfig" not in stack.resources["FallbackReport"]


def test_hooks_are_in_the_vpc() -> None:
    """With subnets every hook is in them."""
    resources = Stack.of(**OPTIONS["Vpc"]).resources
    expected = {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    for event in LifecycleEvent:
        assert expected == resources[event]["VpcConfig"]


APPSPEC = """\
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:1
        LoadBalancerInfo: {ContainerName: web, ContainerPort: 8080}
"""


@pytest.mark.parametrize("read", [parse_appspec, parse_app_spec])
def test_hooks_section_is_ready_to_paste(read: Any) -> None:
    """Hooks and an emulator read an AppSpec with the output pasted to its end."""
    assert read(APPSPEC + Stack.of().outputs["AppSpecHooks"])


def test_hooks_section_names_the_functions() -> None:
    """An emulator that reads the output calls the function of each event."""
    hooks = parse_app_spec(APPSPEC + Stack.of().outputs["AppSpecHooks"]).hooks
    functions = {event: f"<{event}>" for event in LifecycleEvent}
    assert functions == {str(event): name for event, name in hooks.items()}
