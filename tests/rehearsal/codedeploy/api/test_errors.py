"""CodeDeploy's errors through a real boto3 client, against a real endpoint."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from botocore import xform_name
from botocore.exceptions import ClientError
from support.emulator_setup import (
    IMAGES,
    SETTINGS,
    Setting,
    function,
    wait_for,
)

from hookgate_rehearsal.codedeploy.codedeploy import MODULES
from hookgate_rehearsal.emulator import Emulator
from hookgate_rehearsal.endpoint.protocols import service_model

HOOK = "BeforeInstall"
OPERATIONS = sorted(name for module in MODULES for name in module.OPERATIONS)
WRONG_CALLS = [
    pytest.param(operation, request, code, says, id=f"{operation} {what}")
    for operation, calls in yaml.safe_load(
        Path(__file__).with_name("wrong_calls.yaml").read_text("utf-8")
    ).items()
    for what, request, code, says in calls
]


@pytest.fixture(name="setting", scope="module")
def _setting():
    with Emulator(
        images=IMAGES, functions=[function("silent")], settings=SETTINGS
    ) as emulator:
        yield Setting(emulator).build()


@pytest.fixture(name="waiting")
def _waiting(setting):
    """A deployment whose first hook has been called and does not report."""
    deployment_id = setting.deploy("2", BeforeInstall="silent")
    wait_for(lambda: setting.info(deployment_id)["status"] == "InProgress")
    wait_for(lambda: setting.events(deployment_id)[HOOK] == "InProgress")
    yield deployment_id
    if setting.info(deployment_id)["status"] == "InProgress":
        setting.codedeploy.stop_deployment(deploymentId=deployment_id)


def execution_id(setting, deployment_id, event=HOOK):
    """The id that the hook's function got; the API does not return it."""
    engine = setting.emulator.engine
    return engine.get(deployment_id).execution_id(event)


def refusal(call, **request):
    """The code and the message of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    assert 400 == caught.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert error["Message"]
    return error["Code"]


@pytest.mark.parametrize(("operation", "request_", "code", "says"), WRONG_CALLS)
def test_what_cannot_be_done_is_refused(setting, operation, request_, code, says):
    """Each mistake has the exception that the API models for it, and its words."""
    with pytest.raises(ClientError) as caught:
        getattr(setting.codedeploy, operation)(**request_)

    error = caught.value.response["Error"]
    assert (code, True) == (error["Code"], says in error["Message"]), error


@pytest.mark.parametrize("value", ["unknown", "a b", "d-000000000", "main:shop"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_that_is_called_is_an_internal_failure(setting, operation, value):
    """Whatever a name is, the answer is one that the operation's model has."""
    shape = service_model("codedeploy").operation_model(operation).input_shape
    call = getattr(setting.codedeploy, xform_name(operation))
    codes = []
    for names in ([*shape.required_members], [*shape.members]):
        request = {name: filled(shape.members[name], value) for name in names}
        try:
            call(**request)
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])

    assert "InternalFailure" not in codes


def filled(shape, value):
    """Something of a shape, with the value wherever a text belongs."""
    match shape.type_name:
        case "string":
            return value
        case "list":
            return [filled(shape.member, value)]
        case "structure":
            return {k: filled(v, value) for k, v in shape.members.items()}
        case "map":
            return {}
        case "boolean":
            return True
        case "timestamp":
            return 0
    return 7


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param(
            {"deploymentStyle": {"deploymentType": "IN_PLACE"}},
            "InvalidDeploymentStyleException",
            id="style",
        ),
        pytest.param(
            {"ecsServices": []}, "InvalidECSServiceException", id="no service"
        ),
        pytest.param(
            {"loadBalancerInfo": {"elbInfoList": [{"name": "x"}]}},
            "InvalidLoadBalancerInfoException",
            id="classic load balancer",
        ),
        pytest.param(
            {
                "loadBalancerInfo": {
                    "targetGroupPairInfoList": [{"targetGroups": [{"name": "blue"}]}]
                }
            },
            "InvalidTargetGroupPairException",
            id="one target group",
        ),
        pytest.param(
            {"blueGreenDeploymentConfiguration": {}},
            "InvalidBlueGreenDeploymentConfigurationException",
            id="no blue/green configuration",
        ),
        pytest.param(
            {"autoRollbackConfiguration": {"enabled": True, "events": ["SOMETIMES"]}},
            "InvalidAutoRollbackConfigException",
            id="unknown rollback event",
        ),
        pytest.param(
            {"alarmConfiguration": {"alarms": [{"name": str(n)} for n in range(11)]}},
            "AlarmsLimitExceededException",
            id="eleven alarms",
        ),
        pytest.param(
            {"deploymentConfigName": "unknown"},
            "DeploymentConfigDoesNotExistException",
            id="unknown configuration",
        ),
        pytest.param(
            {"autoRollbackConfiguration": {"enabled": True}},
            "InvalidAutoRollbackConfigException",
            id="rollback without events",
        ),
        pytest.param(
            {"serviceRoleArn": "CodeDeploy"}, "InvalidRoleException", id="role name"
        ),
        pytest.param(
            {"serviceRoleArn": "arn:aws:iam::123456789012:user/CodeDeploy"},
            "InvalidRoleException",
            id="user",
        ),
        pytest.param(
            {"serviceRoleArn": "arn:aws:iam::12345:role/CodeDeploy"},
            "InvalidRoleException",
            id="role of no account",
        ),
        pytest.param({}, "DeploymentGroupAlreadyExistsException", id="twice"),
        pytest.param(
            {"alarmConfiguration": {"enabled": False}},
            "ECSServiceMappingLimitExceededException",
            id="another group's service",
        ),
    ],
)
def test_a_group_that_cannot_be_used_is_refused(setting, changes, code):
    """CreateDeploymentGroup checks what an ECS deployment needs."""
    name = "live" if not changes else "another"

    request = setting.group(**changes) | {"deploymentGroupName": name}

    assert code == refusal(setting.codedeploy.create_deployment_group, **request)


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("list_deployment_instances", {}, "InvalidComputePlatformException"),
        (
            "get_deployment_instance",
            {"instanceId": "i-1"},
            "InvalidComputePlatformException",
        ),
        (
            "batch_get_deployment_instances",
            {"instanceIds": ["i-1"]},
            "InvalidComputePlatformException",
        ),
        (
            "skip_wait_time_for_instance_termination",
            {},
            "UnsupportedActionForDeploymentTypeException",
        ),
        (
            "batch_get_deployment_targets",
            {"targetIds": []},
            "DeploymentTargetIdRequiredException",
        ),
    ],
)
def test_an_ecs_deployment_has_no_instances(
    setting, waiting, operation, request_, code
):
    """What belongs to another platform has the exception that the API models."""
    call = getattr(setting.codedeploy, operation)
    assert code == refusal(call, deploymentId=waiting, **request_)


@pytest.mark.parametrize(
    ("operation", "member"),
    [
        ("list_on_premises_instances", "instanceNames"),
        ("list_git_hub_account_token_names", "tokenNameList"),
    ],
)
def test_another_platform_has_nothing(setting, operation, member):
    """The account has no on-premises instances and no connections to GitHub."""
    assert [] == getattr(setting.codedeploy, operation)()[member]


def test_deployments_of_a_time(setting, waiting):
    """A range that ends after it starts is listed; an inverted one is refused."""
    call = setting.codedeploy.list_deployments
    created = setting.info(waiting)["createTime"]
    times = {"start": created, "end": created + timedelta(seconds=1)}
    inverted = {"start": times["end"], "end": times["start"]}

    assert waiting in call(createTimeRange=times)["deployments"]
    assert "InvalidTimeRangeException" == refusal(call, createTimeRange=inverted)


def test_a_group_has_one_active_deployment(setting, waiting):
    """A second deployment names the first."""
    with pytest.raises(ClientError, match=waiting) as caught:
        setting.deploy("3")

    assert "DeploymentLimitExceededException" == caught.value.response["Error"]["Code"]


def test_a_renamed_group_has_one_active_deployment(setting, waiting):
    """What runs is the group's under its new name, and its application's."""
    client = setting.codedeploy
    names = [("shop", "live", "till"), ("shop", "till", "live")]
    for application, old, new in names:
        client.update_deployment_group(
            applicationName=application,
            currentDeploymentGroupName=old,
            newDeploymentGroupName=new,
        )
        listed = client.list_deployments(
            applicationName=application, deploymentGroupName=new
        )
        assert waiting in listed["deployments"]
    client.update_application(applicationName="shop", newApplicationName="store")
    renamed = setting.info(waiting)["applicationName"]
    client.update_application(applicationName="store", newApplicationName="shop")

    assert "store" == renamed
    with pytest.raises(ClientError, match=waiting):
        setting.deploy("3")


def test_a_deployment_that_is_not_ready_cannot_be_continued(setting, waiting):
    """ContinueDeployment refuses unless the deployment is Ready."""
    assert "DeploymentIsNotInReadyStateException" == refusal(
        setting.codedeploy.continue_deployment,
        deploymentId=waiting,
        deploymentWaitType="READY_WAIT",
    )


@pytest.mark.parametrize(
    ("target", "code"),
    [
        pytest.param(
            "nonsense", "InvalidDeploymentTargetIdException", id="malformed target"
        ),
        pytest.param(
            "main:other", "DeploymentTargetDoesNotExistException", id="foreign target"
        ),
    ],
)
def test_a_wrong_target_is_refused(setting, waiting, target, code):
    """A target is cluster:service, and the deployment's own."""
    assert code == refusal(
        setting.codedeploy.get_deployment_target, deploymentId=waiting, targetId=target
    )


@pytest.mark.parametrize("status", ["InProgress", "Skipped", "nonsense"])
def test_only_two_statuses_can_be_reported(setting, waiting, status):
    """Anything but Succeeded and Failed is refused."""
    assert "InvalidLifecycleEventHookExecutionStatusException" == refusal(
        setting.codedeploy.put_lifecycle_event_hook_execution_status,
        deploymentId=waiting,
        lifecycleEventHookExecutionId=execution_id(setting, waiting),
        status=status,
    )


def test_a_foreign_execution_id_is_refused(setting, waiting):
    """An id that the deployment never gave out decides nothing."""
    assert "InvalidLifecycleEventHookExecutionIdException" == refusal(
        setting.codedeploy.put_lifecycle_event_hook_execution_status,
        deploymentId=waiting,
        lifecycleEventHookExecutionId=execution_id(setting, waiting, "AfterInstall"),
        status="Succeeded",
    )


def test_a_second_report_is_already_completed(setting, waiting):
    """The first report counts; the duplicate is refused."""
    put = setting.codedeploy.put_lifecycle_event_hook_execution_status
    request = {
        "deploymentId": waiting,
        "lifecycleEventHookExecutionId": execution_id(setting, waiting),
        "status": "Failed",
    }
    answer = put(**request)

    assert (
        request["lifecycleEventHookExecutionId"]
        == (answer["lifecycleEventHookExecutionId"])
    )
    assert "LifecycleEventAlreadyCompletedException" == refusal(put, **request)
    assert "Failed" == setting.ended(waiting)["status"]


def test_a_report_after_a_stop_is_already_completed(setting, waiting):
    """A stopped deployment takes no report."""
    setting.codedeploy.stop_deployment(deploymentId=waiting)

    assert "LifecycleEventAlreadyCompletedException" == refusal(
        setting.codedeploy.put_lifecycle_event_hook_execution_status,
        deploymentId=waiting,
        lifecycleEventHookExecutionId=execution_id(setting, waiting),
        status="Succeeded",
    )


def test_a_deployment_that_is_over_cannot_be_stopped(setting, waiting):
    """StopDeployment says Pending while an event runs, and refuses afterwards."""
    stop = setting.codedeploy.stop_deployment

    assert "Pending" == stop(deploymentId=waiting)["status"]
    assert "DeploymentAlreadyCompletedException" == refusal(stop, deploymentId=waiting)
    info = setting.info(waiting)
    assert ("Stopped", "MANUAL_STOP") == (
        info["status"],
        info["errorInformation"]["code"],
    )


def test_an_operation_that_is_not_implemented_says_so(setting):
    """The error names the operation."""
    with pytest.raises(ClientError, match="RegisterOnPremisesInstance yet"):
        setting.codedeploy.register_on_premises_instance(instanceName="x")
