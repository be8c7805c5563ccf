"""template.yaml deploys what the packages contain, with no more permissions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.reference import NAMES
from support.template import (
    ROOT,
    actions,
    listed,
    of_type,
    parameter,
    statements,
    sub,
    template,
)

from hookgate import LifecycleEvent
from hookgate.aws.calls import camel, iam_action
from hookgate.registry import resolve
from hookgate.units import PARAMETER

FUNCTIONS = of_type("AWS::Serverless::Function")
GLOBALS = template()["Globals"]["Function"]
ROLES = of_type("AWS::IAM::Role")

#: What the layer itself calls; the validators declare their own actions.
LAYER_ACTIONS = {
    "codedeploy:GetApplicationRevision": "the AppSpec; GetDeployment leaves it out",
    "codedeploy:GetDeployment": "application, group and revision of the id",
    "codedeploy:GetDeploymentGroup": "service, listeners and target groups",
    "codedeploy:GetDeploymentTarget": "when the event began, the task sets",
    "codedeploy:PutLifecycleEventHookExecutionStatus": "the report",
    "dynamodb:DeleteItem": "idempotency: a pass that raised may be run again",
    "dynamodb:GetItem": "idempotency: the verdict of the first delivery",
    "dynamodb:PutItem": "idempotency: a pass begins",
    "dynamodb:UpdateItem": "idempotency: a pass has ended",
    "ec2:AssignPrivateIpAddresses": "Lambda in a VPC, not the code",
    "ec2:CreateNetworkInterface": "Lambda in a VPC, not the code",
    "ec2:DeleteNetworkInterface": "Lambda in a VPC, not the code",
    "ec2:DescribeNetworkInterfaces": "Lambda in a VPC, not the code",
    "ec2:DescribeSubnets": "Lambda in a VPC, not the code",
    "ec2:UnassignPrivateIpAddresses": "Lambda in a VPC, not the code",
    "ecs:DescribeServices": "the task sets, blue and green",
    "ecs:DescribeTaskDefinition": "green's image and containers",
    "elasticloadbalancing:DescribeListeners": "port, protocol and default action",
    "elasticloadbalancing:DescribeLoadBalancers": "the address",
    "elasticloadbalancing:DescribeRules": "a test listener that is a rule; weights",
    "elasticloadbalancing:DescribeTargetGroups": "the groups by their names",
    "kms:Decrypt": "a customer managed key on plans, secrets or revisions",
    "lambda:InvokeFunction": "the OnFailure destination",
    "logs:CreateLogStream": "logs, and metrics in them",
    "logs:PutLogEvents": "logs, and metrics in them",
    "s3:GetObject": "plans and revisions in S3",
    "s3:GetObjectVersion": "a revision may name its version",
    "s3:ListBucket": "distinguishes a missing plan from a denied read",
    "secretsmanager:GetSecretValue": "${secret.NAME} in a plan",
    "ssm:GetParameter": "plans in SSM parameters",
}
FALLBACK_REPORT_ACTIONS = {
    "codedeploy:GetDeployment": "application and group, for the metrics",
    "codedeploy:GetDeploymentGroup": "cluster and service, which name the target",
    "codedeploy:GetDeploymentTarget": "what CodeDeploy accepted before, if anything",
    "codedeploy:PutLifecycleEventHookExecutionStatus": "the report",
    "logs:CreateLogStream": "logs, and metrics in them",
    "logs:PutLogEvents": "logs, and metrics in them",
}
#: Statements on all resources; their reason stands in the template.
ON_EVERYTHING = {
    "ListTasks",
    "LogResults",
    "NetworkInterfaces",
    "NoResourceLevel",
    "NotByTheCode",
    "ParameterNames",
}


def hook_modules() -> dict[str, str]:
    """The modules of hooks/ by the CamelCase of their names."""
    return {
        "".join(word.title() for word in path.stem.split("_")): path.stem
        for path in (ROOT / "hooks").glob("[a-z]*.py")
    }


def called_by_the_layer() -> set[str]:
    """The actions of the calls in the layer's sources."""
    services = "codedeploy|ecs|elbv2|ssm|s3|secretsmanager|cloudwatch"
    call = re.compile(rf'"({services})",\s*"([a-z_]+)"')
    return {
        iam_action(service, camel(operation))
        for path in (ROOT / "layer").rglob("*.py")
        for service, operation in call.findall(path.read_text())
    }


def declared() -> set[str]:
    """The actions that the validators declare."""
    return {action for name in NAMES for action in resolve(name).permissions}


def test_every_lifecycle_event_has_a_function() -> None:
    """The functions are the lifecycle events and the fallback report, and no other."""
    assert {*LifecycleEvent, "FallbackReport"} == set(FUNCTIONS)


def test_every_function_has_a_module() -> None:
    """The modules of hooks/ are the functions, by name."""
    assert hook_modules().keys() == FUNCTIONS.keys()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_handler(name: str) -> None:
    """A function's handler is in the module that is named like it."""
    assert f"hooks.{hook_modules()[name]}.handler" == FUNCTIONS[name]["Handler"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_name(name: str) -> None:
    """A function's name tells the event, and every CodeDeploy role may invoke it."""
    expected = {"Fn::Sub": f"CodeDeployHook_${{NamePrefix}}_{name}"}
    assert expected == FUNCTIONS[name]["FunctionName"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_name_fits(name: str) -> None:
    """With the longest prefix a function's name is no longer than Lambda allows."""
    prefix = "p" * parameter("NamePrefix")["MaxLength"]
    assert len(sub(FUNCTIONS[name]["FunctionName"]["Fn::Sub"], NamePrefix=prefix)) <= 64


@pytest.mark.parametrize("event", LifecycleEvent)
def test_failure_leads_to_the_fallback_report(event: str) -> None:
    """The globals alone send the event of a failed hook to the fallback report."""
    expected = {"Type": "Lambda", "Destination": {"Fn::GetAtt": "FallbackReport.Arn"}}
    assert "EventInvokeConfig" not in FUNCTIONS[event]
    assert expected == GLOBALS["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]


def test_fallback_report_does_not_lead_to_itself() -> None:
    """The fallback report has no destination of its own."""
    config = FUNCTIONS["FallbackReport"]["EventInvokeConfig"]
    assert {"Ref": "AWS::NoValue"} == config["DestinationConfig"]


def test_fallback_report_is_outside_the_vpc() -> None:
    """A VPC without a route to CodeDeploy does not stop the fallback report."""
    assert {"Ref": "AWS::NoValue"} == FUNCTIONS["FallbackReport"]["VpcConfig"]


def test_fallback_report_comes_within_the_hour() -> None:
    """The latest attempt of a hook and the fallback report fit CodeDeploy's 3600 s."""
    begins = GLOBALS["EventInvokeConfig"]["MaximumEventAgeInSeconds"]
    runs = parameter("Timeout")["MaxValue"]
    assert begins + runs + FUNCTIONS["FallbackReport"]["Timeout"] < 3600


@pytest.mark.parametrize("role", ROLES)
def test_no_action_has_a_wildcard(role: str) -> None:
    """Every action of every role is named in full."""
    assert [] == [action for action in actions(role) if "*" in action]


@pytest.mark.parametrize("role", ROLES)
def test_no_managed_policy(role: str) -> None:
    """A role has the permissions that the template lists, and no others."""
    assert "ManagedPolicyArns" not in ROLES[role]


@pytest.mark.parametrize("role", ROLES)
def test_all_resources_only_where_aws_has_no_others(role: str) -> None:
    """Only the statements that AWS cannot narrow are on all resources."""
    wide = {each["Sid"] for each in statements(role) if "*" in listed(each["Resource"])}
    assert set() == wide - ON_EVERYTHING


def test_hook_role() -> None:
    """The hooks have the permissions of the layer and the validators, and no other."""
    assert {*LAYER_ACTIONS, *declared()} == actions("HookRole")


def test_actions_of_the_layer() -> None:
    """Every call of the layer is in its list, or declared by the validators."""
    assert set() == called_by_the_layer() - {*LAYER_ACTIONS, *declared()}


def test_permissions_are_documented() -> None:
    """docs/deploy.md lists each action of the hooks' role by its name."""
    text = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    names = {each.partition(":")[2]: each for each in actions("HookRole")}
    missing = {whole for name, whole in names.items() if f"{name}`" not in text}
    assert set() == missing


def test_parameters_are_documented() -> None:
    """Every parameter of the template stands in docs/deploy.md."""
    text = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    assert set() == {n for n in template()["Parameters"] if f"`{n}`" not in text}


@pytest.mark.parametrize("role", ROLES)
def test_roles_trust_lambda_in_this_account_only(role: str) -> None:
    """Lambda assumes a role for a function of the stack's account."""
    (statement,) = ROLES[role]["AssumeRolePolicyDocument"]["Statement"]
    assert {"Service": "lambda.amazonaws.com"} == statement["Principal"]
    assert {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}} == (
        statement["Condition"]
    )


def test_the_key_decrypts_only_through_services() -> None:
    """The hooks cannot decrypt with the key what no service gives them."""
    (statement,) = (s for s in statements("HookRole") if s.get("Sid") == "Decryption")
    services = statement["Condition"]["StringEquals"]["kms:ViaService"]
    assert ["s3", "secretsmanager", "ssm"] == [
        each["Fn::Sub"].partition(".")[0] for each in services
    ]


def test_fallback_report_role() -> None:
    """The fallback report may report and log, and nothing else."""
    assert set(FALLBACK_REPORT_ACTIONS) == actions("FallbackReportRole")


def test_the_code_may_not_use_lambdas_own_permissions() -> None:
    """Network interfaces are Lambda's business; the functions are denied them."""
    own = {each for each in actions("HookRole") if each.startswith("ec2:")}
    assert own == actions("HookRole", effect="Deny")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_role(name: str) -> None:
    """Every function has a role of the template: SAM makes none of its own."""
    role = FUNCTIONS[name]["Role"]["Fn::GetAtt"].removesuffix(".Arn")
    assert role in ROLES


def test_settings_in_step_with_the_code() -> None:
    """The environment variables of the template are those that the layer reads."""
    read = {
        name
        for path in (ROOT / "layer").rglob("*.py")
        for name in re.findall(r'"(HOOKGATE_[A-Z_]*[A-Z])"', path.read_text())
    }
    given = {
        name
        for name in GLOBALS["Environment"]["Variables"]
        if name.startswith("HOOKGATE_")
    }
    assert read == given


def appspec_hooks() -> list[dict[str, str]]:
    """The ``Hooks`` section of the output, as CodeDeploy reads it."""
    text = sub(template()["Outputs"]["AppSpecHooks"]["Value"]["Fn::Sub"])
    hooks: list[dict[str, str]] = yaml.safe_load(text)["Hooks"]
    return hooks


def test_memory_leaves_the_watchdog_process_its_time() -> None:
    """Hooks have the memory with which the watchdog process reported in time.

    docs/decisions/0001-watchdog-process.md
    """
    assert parameter("MemorySize")["MinValue"] >= 512


def test_appspec_section() -> None:
    """The output's section names the function of each event, in CodeDeploy's order."""
    assert [{str(event): str(event)} for event in LifecycleEvent] == appspec_hooks()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arn_output(name: str) -> None:
    """Every function's ARN is an output."""
    expected = {"Fn::GetAtt": f"{name}.Arn"}
    assert expected == template()["Outputs"][f"{name}Arn"]["Value"]


def test_second_layer_is_off_by_default() -> None:
    """Who does not ask for it does not carry it."""
    assert "false" == parameter("SecondLayer")["Default"]


def test_second_layer_is_carried_when_asked_for() -> None:
    """Both lists are the same, but for the second layer of the architecture."""
    condition, carried, without = GLOBALS["Layers"]["Fn::If"]
    refs = [{"Ref": "SecondLayerArm"}, {"Ref": "SecondLayerX86"}]
    assert "HasSecondLayer" == condition
    assert [*without, {"Fn::If": ["OnArm", *refs]}] == carried


def test_second_layer_has_a_word_in_the_code() -> None:
    """The reason of a refused plan names the template's parameter."""
    assert PARAMETER in template()["Parameters"]


def test_idempotency_table_in_step_with_powertools() -> None:
    """Key and time to live are the attributes that Powertools writes by itself."""
    table = of_type("AWS::DynamoDB::Table")["IdempotencyTable"]
    attributes = (
        table["KeySchema"][0]["AttributeName"],
        table["TimeToLiveSpecification"]["AttributeName"],
    )
    assert ("id", "expiration") == attributes


def test_verdict_alarm_has_the_metrics_dimensions() -> None:
    """The alarm is on a dimension set that the hooks publish."""
    alarm = of_type("AWS::CloudWatch::Alarm")["VerdictFailedAlarm"]
    names = [each["Name"] for each in alarm["Dimensions"]]
    assert ["Application", "DeploymentGroup"] == names


@pytest.mark.parametrize("name", of_type("AWS::CloudWatch::Alarm"))
def test_alarm_ends_by_itself(name: str) -> None:
    """An alarm left in ALARM would stop the next deployment at its start."""
    alarm = of_type("AWS::CloudWatch::Alarm")[name]
    assert "notBreaching" == alarm["TreatMissingData"]


def test_logs_are_kept_for_a_time() -> None:
    """Every function logs to the group that has a retention."""
    group = of_type("AWS::Logs::LogGroup")["LogGroup"]
    assert {"Ref": "LogGroup"} == GLOBALS["LoggingConfig"]["LogGroup"]
    assert {"Ref": "LogRetentionDays"} == group["RetentionInDays"]


def test_runtime_is_what_the_layer_is_built_for() -> None:
    """The functions' Python, the layer's wheels and their lock are of one version."""
    version = GLOBALS["Runtime"].removeprefix("python")
    for makefile in ("layer/Makefile", "layer/second/Makefile"):
        assert f"LAMBDA_PYTHON ?= {version}\n" in (ROOT / makefile).read_text()
    assert f"--python-version {version} " in (ROOT / "Makefile").read_text()
    assert f"LAMBDA_IMAGE := lambda-python:{version}\n" in (
        (ROOT / "Makefile").read_text()
    )


def sample(name: str) -> dict[str, Any]:
    """A file of events/."""
    event: dict[str, Any] = json.loads((ROOT / "events" / name).read_text())
    return event


def test_every_function_has_a_sample_event() -> None:
    """events/ holds one event for each function and a wrong one."""
    expected = {*(f"{name}.json" for name in hook_modules().values()), "wrong.json"}
    assert expected == {path.name for path in Path(ROOT / "events").iterdir()}


@pytest.mark.parametrize("name", sorted(LifecycleEvent))
def test_sample_event(name: str) -> None:
    """A sample event has the two keys that CodeDeploy sends."""
    keys = {"DeploymentId", "LifecycleEventHookExecutionId"}
    assert keys == sample(f"{hook_modules()[name]}.json").keys()


def test_fallback_report_sample() -> None:
    """The fallback report's sample is about the hook that its function names."""
    record = sample("fallback_report.json")
    assert sample("after_allow_test_traffic.json") == record["requestPayload"]
    assert "_AfterAllowTestTraffic" in record["requestContext"]["functionArn"]
