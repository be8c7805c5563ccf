"""What the AWS CLI makes CodeDeploy do."""

import json

import pytest
from support.aws_cli import AWS, MISSING, Cli
from support.emulator_setup import (
    IMAGES,
    SETTINGS,
    Setting,
    fetch,
    function,
    wait_for,
)

from hookgate_rehearsal.emulator import Emulator

pytestmark = pytest.mark.skipif(not AWS.exists(), reason=MISSING)

FUNCTIONS = [function("always_yes"), function("always_no"), function("silent")]
HOOK = "AfterAllowTestTraffic"
TEXT = ("--output", "text")


@pytest.fixture(name="setting", scope="module")
def _setting():
    with Emulator(images=IMAGES, functions=FUNCTIONS, settings=SETTINGS) as emulator:
        yield Setting(emulator).build()


@pytest.fixture(name="aws")
def _aws(setting):
    return Cli(setting.emulator)


def create(aws, setting, version, group="live", **hooks):
    """Create a deployment by CLI; its id."""
    content = {"content": setting.app_spec(version, **hooks)}
    revision = {"revisionType": "AppSpecContent", "appSpecContent": content}
    words = ("--application-name", "shop", "--deployment-group-name", group)
    given = ("--revision", json.dumps(revision))
    answer = aws("deploy", "create-deployment", *words, *given)
    return answer["deploymentId"]


def waiting(aws, setting):
    """A deployment whose hook has been called and does not report."""
    id_ = create(aws, setting, "2", **{HOOK: "silent"})
    wait_for(lambda: setting.info(id_)["status"] == "InProgress")
    wait_for(lambda: setting.events(id_)[HOOK] == "InProgress")
    return id_


@pytest.mark.timeout(240)
def test_ecs_deploy_of_a_bad_version_exits_with_255(setting, aws, tmp_path):
    """The customised command waits, tells the failure, and production stays."""
    before = fetch(setting.ports["production"])
    spec = json.loads(setting.app_spec("1", **{HOOK: "always_no"}))
    app_spec, definition = tmp_path / "appspec.json", tmp_path / "task.json"
    app_spec.write_text(json.dumps(spec))
    ports = [{"containerPort": 80}]
    container = {"name": "web", "image": "shop:3", "memory": 64, "portMappings": ports}
    content = {"family": "shop", "containerDefinitions": [container]}
    definition.write_text(json.dumps(content))

    code, out, err = aws.run(
        *("ecs", "deploy", "--cluster", "main", "--service", "shop"),
        *("--task-definition", str(definition), "--codedeploy-appspec", str(app_spec)),
        *("--codedeploy-application", "shop", "--codedeploy-deployment-group", "live"),
    )

    assert (255, True) == (code, "Successfully created deployment d-" in out)
    assert "terminal failure state" in err
    assert before == fetch(setting.ports["production"])


def test_a_hook_is_reported_by_hand(setting, aws):
    """put-lifecycle-event-hook-execution-status lets the deployment go on."""
    id_ = waiting(aws, setting)
    execution = setting.emulator.engine.get(id_).execution_id(HOOK)

    result = aws(
        *("deploy", "put-lifecycle-event-hook-execution-status"),
        *("--deployment-id", id_, "--status", "Succeeded"),
        *("--lifecycle-event-hook-execution-id", execution),
    )
    setting.ended(id_)

    assert {"lifecycleEventHookExecutionId": execution} == result
    wait = ("deploy", "wait", "deployment-successful", "--deployment-id", id_)
    assert (0, "", "") == aws.run(*wait)


def test_a_deployment_is_stopped_and_rolled_back(setting, aws):
    """stop-deployment answers Pending while a hook runs; the rollback follows."""
    id_ = waiting(aws, setting)

    result = aws(
        *("deploy", "stop-deployment", "--deployment-id", id_),
        "--auto-rollback-enabled",
    )

    info = setting.ended(id_)
    assert ("Pending", "Stopped") == (result["status"], info["status"])
    assert "MANUAL_STOP" == info["errorInformation"]["code"]
    rollback = setting.info(info["rollbackInfo"]["rollbackDeploymentId"])
    assert "Succeeded" == rollback["status"]


def test_a_ready_deployment_is_continued(setting, aws, tmp_path):
    """A group that stops without word waits Ready until continue-deployment."""
    ready = {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": 60}
    group = {
        "applicationName": "shop",
        "currentDeploymentGroupName": "live",
        "newDeploymentGroupName": "careful",
        "blueGreenDeploymentConfiguration": {"deploymentReadyOption": ready},
    }
    file = tmp_path / "group.json"
    file.write_text(json.dumps(group))
    update = ("deploy", "update-deployment-group", "--cli-input-json", f"file://{file}")
    aws(*update)
    id_ = create(aws, setting, "3", group="careful")
    wait_for(lambda: setting.info(id_)["status"] == "Ready")

    aws("deploy", "continue-deployment", "--deployment-id", id_)

    info = setting.ended(id_)
    group |= {"currentDeploymentGroupName": "careful", "newDeploymentGroupName": "live"}
    group["blueGreenDeploymentConfiguration"] = {
        "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT"}
    }
    file.write_text(json.dumps(group))
    aws(*update)
    assert "Succeeded" == info["status"]
    assert "3" == fetch(setting.ports["production"])


def test_an_older_revision_is_deployed_again(setting, aws):
    """Its content comes from get-application-revision, by what get-deployment tells."""
    older = create(aws, setting, "1")
    setting.ended(older)
    setting.ended(create(aws, setting, "2"))
    wait_for(lambda: len(setting.task_sets()) == 1)
    asked = ("deploy", "get-deployment", "--deployment-id", older)
    known = aws(*asked, "--query", "deploymentInfo.revision")
    again = aws(
        *("deploy", "get-application-revision", "--application-name", "shop"),
        *("--revision", json.dumps(known), "--query", "revision"),
    )

    id_ = aws(
        *("deploy", "create-deployment", "--application-name", "shop"),
        *("--deployment-group-name", "live", "--revision", json.dumps(again)),
    )["deploymentId"]

    info = setting.ended(id_)
    assert ("Succeeded", known) == (info["status"], info["revision"])
    assert "1" == fetch(setting.ports["production"])


def test_a_revision_is_registered(setting, aws):
    """register-application-revision keeps a revision before its first deployment."""
    content = setting.app_spec("2")
    revision = {"revisionType": "String", "string": {"content": content}}
    words = ("--application-name", "shop", "--revision", json.dumps(revision))
    aws("deploy", "register-application-revision", *words, "--description", "second")

    result = aws("deploy", "get-application-revision", *words)

    assert content == result["revision"]["string"]["content"]
    assert "second" == result["revisionInfo"]["description"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        pytest.param(
            "deploy get-deployment --deployment-id d-000000000",
            "(DeploymentDoesNotExistException) when calling the GetDeployment "
            "operation: The deployment d-000000000 could not be found",
            id="deployment",
        ),
        pytest.param(
            "deploy create-deployment --application-name shop "
            "--deployment-group-name lives --revision "
            "revisionType=String,string={content=x}",
            "(DeploymentGroupDoesNotExistException) when calling the CreateDeployment "
            "operation: No Deployment Group found for name: lives",
            id="group",
        ),
        pytest.param(
            "ecs describe-task-sets --cluster main --service shops",
            "(ServiceNotFoundException) when calling the DescribeTaskSets operation: "
            "There is no service shops in the cluster main.",
            id="service",
        ),
    ],
)
def test_a_wrong_call_is_reported_on_the_terminal(aws, words, text):
    """The modelled exception and what was wrong are on standard error."""
    code, out, err = aws.run(*words.split())

    assert (True, "") == (code != 0, out)
    assert text in err
