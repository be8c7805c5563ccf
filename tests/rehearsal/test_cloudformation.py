"""CloudFormation's blue/green hook, read from a template and checked."""

import json

import pytest
import yaml
from support.coded import raises

from hookgate.codes import Code
from hookgate.errors import PlanError
from hookgate.model import LifecycleEvent
from hookgate_rehearsal.cloudformation import (
    check_hook,
    hook_warnings,
    is_template,
    read_hook,
    read_template,
)

TEMPLATE = """\
Transform: AWS::CodeDeployBlueGreen
Hooks:
  Shift:
    Type: AWS::CodeDeploy::BlueGreen
    Properties:
      TrafficRoutingConfig:
        Type: TimeBasedLinear
        TimeBasedLinear: {StepPercentage: 20, BakeTimeMins: 1}
      AdditionalOptions: {TerminationWaitTimeInMinutes: 5}
      LifecycleEventHooks:
        BeforeInstall: CodeDeployHook_first
        AfterInstall: !Ref Named
        AfterAllowTestTraffic: !GetAtt CodeDeployHook_Unnamed.Arn
        BeforeAllowTraffic: !Sub CodeDeployHook_${AWS::StackName}
      Applications:
        - Target: {Type: AWS::ECS::Service, LogicalID: Service}
          ECSAttributes:
            TaskDefinitions: [Service, Service]
            TrafficRouting:
              ProdTrafficRoute: {Type: AWS::X, LogicalID: Service}
              TargetGroups: [Service, Service]
Resources:
  Service: {Type: AWS::ECS::Service}
  Named:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: CodeDeployHook_named}
  CodeDeployHook_Unnamed: {Type: AWS::Lambda::Function}
"""


def read(text):
    return read_template(text.encode(), "t.yaml")


def test_everything_is_read():
    """Functions by name and by reference, the shift and the wait arrive."""
    hook = read_hook(read(TEMPLATE))

    assert {
        LifecycleEvent.BEFORE_INSTALL: "CodeDeployHook_first",
        LifecycleEvent.AFTER_INSTALL: "CodeDeployHook_named",
        LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC: "CodeDeployHook_Unnamed",
        LifecycleEvent.BEFORE_ALLOW_TRAFFIC: "CodeDeployHook_${AWS::StackName}",
    } == hook.functions
    shift = {"linearPercentage": 20, "linearInterval": 1}
    assert {"type": "TimeBasedLinear", "timeBasedLinear": shift} == hook.routing
    assert 5 == hook.termination_wait


@pytest.mark.parametrize(
    ("routing", "expected"),
    [
        pytest.param(
            None,
            {
                "type": "TimeBasedCanary",
                "timeBasedCanary": {"canaryPercentage": 15, "canaryInterval": 5},
            },
            id="defaults",
        ),
        pytest.param({"Type": "AllAtOnce"}, {"type": "AllAtOnce"}, id="all at once"),
    ],
)
def test_traffic_shifts_as_cloudformation_would(routing, expected):
    """What a template leaves out is CloudFormation's default."""
    hook = {"Type": "AWS::CodeDeploy::BlueGreen", "Properties": {}}
    hook["Properties"]["TrafficRoutingConfig"] = routing

    assert expected == read_hook(read(json.dumps({"Hooks": {"H": hook}}))).routing


def test_a_right_template_is_fine():
    """What CloudFormation takes is neither refused nor warned of."""
    document = read(TEMPLATE)

    assert None is check_hook(document)
    assert [] == list(hook_warnings(document))


def test_a_name_that_the_managed_policy_refuses_is_warned_of():
    """A function without the prefix needs a role of one's own."""
    document = read(TEMPLATE.replace("CodeDeployHook_named", "testGreen"))
    (warning,) = hook_warnings(document)

    assert (12, 9) == (warning.place.line, warning.place.column)
    assert Code.TEMPLATE_FUNCTION_NAME == warning.code


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            "AWS::CodeDeploy::BlueGreen",
            "AWS::Other",
            "2:1 HG-TEMPLATE-HOOK",
            id="no hook",
        ),
        pytest.param(
            "AdditionalOptions",
            "AdditionalOption",
            "9:7 HG-TEMPLATE-UNKNOWN-KEY",
            id="unknown property",
        ),
        pytest.param(
            "BeforeInstall",
            "BeforeInstal",
            "11:9 HG-TEMPLATE-UNKNOWN-KEY",
            id="unknown event",
        ),
        pytest.param(
            "CodeDeployHook_first", "7", "11:9 HG-TEMPLATE-FUNCTION", id="no function"
        ),
        pytest.param(
            "Type: TimeBasedLinear",
            "Type: Slowly",
            "7:9 HG-TEMPLATE-VALUE",
            id="routing",
        ),
        pytest.param(
            "StepPercentage: 20",
            "StepPercentage: 10",
            "8:27 HG-TEMPLATE-VALUE",
            id="step",
        ),
        pytest.param(
            "BakeTimeMins: 1", "BakeTimeMins: soon", "8:47 HG-TEMPLATE-VALUE", id="bake"
        ),
        pytest.param(
            "Minutes: 5", "Minutes: 2881", "9:27 HG-TEMPLATE-VALUE", id="wait"
        ),
        pytest.param(
            "LogicalID: Service}\n          ECS",
            "LogicalID: Servise}\n          ECS",
            "16:45 HG-TEMPLATE-RESOURCE",
            id="unknown resource",
        ),
    ],
)
def test_each_mistake_is_reported(old, new, expected):
    """A wrong hook is refused, and the problem names its place."""
    assert old in TEMPLATE
    with pytest.raises(PlanError) as refused:
        check_hook(read(TEMPLATE.replace(old, new)))
    problems = [
        f"{each.place.line}:{each.place.column} {each.code}"
        for each in refused.value.problems
    ]
    assert [expected] == problems


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"a: [", Code.YAML_SYNTAX, id="broken"),
        pytest.param(b"a: &x 1\nb: *x", Code.YAML_FEATURE, id="alias"),
        pytest.param(b"- a", Code.YAML_NOT_A_MAPPING, id="list"),
        pytest.param(b"a: 1\na: 2", Code.YAML_DUPLICATE_KEY, id="duplicate key"),
        pytest.param(b"[" * 5000, Code.YAML_SIZE, id="deep"),
        pytest.param(b"#" * (2**20 + 1), Code.FILE_SIZE, id="too large"),
        pytest.param(b"a: \xff", Code.FILE_ENCODING, id="not UTF-8"),
    ],
)
def test_wrong_template_is_refused(content, code):
    """A file that is not a template is refused with its code."""
    with raises(PlanError, code):
        read_template(content, "t.yaml")


def test_template_is_recognized_by_its_hook():
    """An AppSpec has Resources and Hooks as well, and is not a template."""
    assert is_template(TEMPLATE.encode())
    assert not is_template(yaml.dump({"Resources": [], "Hooks": []}).encode())
