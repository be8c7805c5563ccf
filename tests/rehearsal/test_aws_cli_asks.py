"""The AWS CLI's output for a deployment that waits for its hook."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from support.aws_cli import AWS, MISSING, Cli
from support.emulator_setup import IMAGES, SETTINGS, Setting, function, wait_for

from hookgate_rehearsal.emulator import Emulator

pytestmark = pytest.mark.skipif(not AWS.exists(), reason=MISSING)

HOOK = "AfterAllowTestTraffic"
PAST = ["BeforeInstall", "Install", "AfterInstall", "AllowTestTraffic"]
FUTURE = ["BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"]
EVENTS = [*[[name, "Succeeded"] for name in PAST], [HOOK, "InProgress"]]
EVENTS += [[name, "Pending"] for name in FUTURE]
METRIC = {"Namespace": "Shop", "MetricName": "Errors"}
QUERY = {"MetricStat": {"Metric": METRIC, "Period": 60, "Stat": "Sum"}, "Id": "errors"}


@pytest.fixture(name="setting", scope="module")
def _setting():
    with Emulator(
        images=IMAGES, functions=[function("silent")], settings=SETTINGS
    ) as emulator:
        yield Setting(emulator).build()


@pytest.fixture(name="known", scope="module")
def _known(setting):
    """What the rows name in braces."""
    id_ = setting.deploy("2", **{HOOK: "silent"})
    wait_for(lambda: setting.info(id_)["status"] == "InProgress")
    wait_for(lambda: setting.events(id_)[HOOK] == "InProgress")
    blue, green = setting.task_sets()
    cloudwatch = setting.emulator.client("cloudwatch")
    cloudwatch.put_metric_data(
        Namespace="Shop", MetricData=[{"MetricName": "Errors", "Value": 3.0}]
    )
    cloudwatch.put_metric_alarm(
        AlarmName="shop-errors",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
        **METRIC,
    )
    (task,) = setting.ecs.list_tasks(cluster="main", startedBy=green["id"])["taskArns"]
    content = setting.emulator.client("codedeploy").get_deployment(deploymentId=id_)
    now = datetime.now(UTC)
    yield {
        "start": (now - timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:00Z"),
        "end": (now + timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:00Z"),
        "id": id_,
        "sha": content["deploymentInfo"]["revision"]["appSpecContent"]["sha256"],
        "blue": blue["id"],
        "green": green["id"],
        "definition": green["taskDefinition"],
        "task": task,
        "listener": setting.listeners["test"],
        "blue_group": setting.groups["blue"],
        "green_group": setting.groups["green"],
    }
    setting.codedeploy.stop_deployment(deploymentId=id_)


@pytest.fixture(name="aws", scope="module")
def _aws(setting):
    return Cli(setting.emulator)


TARGET = "--deployment-id {id} --target-id main:shop"
SHA = "revisionType=AppSpecContent,appSpecContent={{sha256={sha}}}"


@pytest.mark.parametrize(
    ("command", "query", "expected"),
    [
        pytest.param(
            "deploy get-deployment --deployment-id {id}",
            "deploymentInfo.[status,creator,applicationName,revision.appSpecContent]",
            ["InProgress", "user", "shop", {"sha256": "{sha}"}],
            id="get-deployment",
        ),
        pytest.param(
            "deploy batch-get-deployments --deployment-ids {id}",
            "deploymentsInfo[].deploymentId",
            ["{id}"],
            id="batch-get-deployments",
        ),
        pytest.param(
            "deploy get-deployment-target " + TARGET,
            "deploymentTarget.ecsTarget.lifecycleEvents[].[lifecycleEventName,status]",
            EVENTS,
            id="get-deployment-target",
        ),
        pytest.param(
            "deploy batch-get-deployment-targets --deployment-id {id} "
            "--target-ids main:shop",
            "deploymentTargets[].ecsTarget.taskSetsInfo[].[identifer,taskSetLabel,"
            "status,trafficWeight,targetGroup.name]",
            [
                ["{blue}", "Blue", "PRIMARY", 100.0, "blue"],
                ["{green}", "Green", "ACTIVE", 0.0, "green"],
            ],
            id="batch-get-deployment-targets",
        ),
        pytest.param(
            "deploy list-deployment-targets --deployment-id {id}",
            "targetIds",
            ["main:shop"],
            id="list-deployment-targets",
        ),
        pytest.param(
            "deploy list-deployments --application-name shop "
            "--deployment-group-name live --include-only-statuses InProgress",
            "deployments",
            ["{id}"],
            id="list-deployments",
        ),
        pytest.param(
            "deploy get-deployment-config --deployment-config-name "
            "CodeDeployDefault.ECSCanary10Percent5Minutes",
            "deploymentConfigInfo.trafficRoutingConfig.timeBasedCanary",
            {"canaryPercentage": 10, "canaryInterval": 5},
            id="get-deployment-config",
        ),
        pytest.param(
            f"deploy get-application-revision --application-name shop --revision {SHA}",
            "revisionInfo.deploymentGroups",
            ["live"],
            id="get-application-revision",
        ),
        pytest.param(
            "deploy get-deployment-group --application-name shop "
            "--deployment-group-name live",
            "deploymentGroupInfo.[lastAttemptedDeployment.deploymentId,ecsServices[0]]",
            ["{id}", {"serviceName": "shop", "clusterName": "main"}],
            id="get-deployment-group",
        ),
        pytest.param(
            "ecs describe-services --cluster main --services shop",
            "services[].[deploymentController.type,desiredCount,runningCount]",
            [["CODE_DEPLOY", 1, 2]],
            id="describe-services",
        ),
        pytest.param(
            "ecs describe-task-sets --cluster main --service shop --task-sets {green}",
            "taskSets[].[externalId,startedBy,status,stabilityStatus]",
            [["{id}", "CODE_DEPLOY", "ACTIVE", "STEADY_STATE"]],
            id="describe-task-sets",
        ),
        pytest.param(
            "ecs describe-tasks --cluster main --tasks {task}",
            "tasks[].[lastStatus,startedBy,taskDefinitionArn,containers[0].image]",
            [["RUNNING", "{green}", "{definition}", "shop:2"]],
            id="describe-tasks",
        ),
        pytest.param(
            "elbv2 describe-listeners --listener-arns {listener}",
            "Listeners[].DefaultActions[].ForwardConfig.TargetGroups[]",
            [
                {"TargetGroupArn": "{green_group}", "Weight": 100},
                {"TargetGroupArn": "{blue_group}", "Weight": 0},
            ],
            id="describe-listeners",
        ),
        pytest.param(
            "elbv2 describe-target-health --target-group-arn {blue_group}",
            "TargetHealthDescriptions[].TargetHealth.State",
            ["healthy"],
            id="describe-target-health",
        ),
        pytest.param(
            "cloudwatch describe-alarms --alarm-names shop-errors",
            "MetricAlarms[].AlarmName",
            ["shop-errors"],
            id="describe-alarms",
        ),
        pytest.param(
            "cloudwatch get-metric-data --start-time {start} --end-time {end} "
            "--metric-data-queries {query}",
            "MetricDataResults[].Values[]",
            [3.0],
            id="get-metric-data",
        ),
    ],
)
def test_cli_output(aws, known, command, query, expected):
    """The command succeeds with the truth in the documented place."""
    spaceless = json.dumps([QUERY]).replace(" ", "")
    words = command.format(**known, query=spaceless).split()

    answer = aws(*words, "--query", query, "--output", "json")

    assert _filled(expected, known) == answer


def _filled(expected, known):
    """What is expected, with the names in braces replaced."""
    text = json.dumps(expected)
    for name, value in known.items():
        text = text.replace("{" + name + "}", value)
    return json.loads(text)
