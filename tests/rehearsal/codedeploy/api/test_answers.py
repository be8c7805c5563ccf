"""What CodeDeploy's API tells, through a real boto3 client."""

import hashlib

import pytest
from support.emulator_setup import IMAGES, SETTINGS, Setting, function

from hookgate_rehearsal.emulator import Emulator


@pytest.fixture(name="setting", scope="module")
def _setting():
    hooks = [function("always_yes"), function("always_no")]
    with Emulator(images=IMAGES, functions=hooks, settings=SETTINGS) as emulator:
        yield Setting(emulator).build()


@pytest.fixture(name="succeeded", scope="module")
def _succeeded(setting):
    deployment_id = setting.deploy("2", AfterInstall="always_yes")
    assert "Succeeded" == setting.ended(deployment_id)["status"]
    return deployment_id


def test_a_deployments_content_is_null_and_its_sha_is_returned(setting, succeeded):
    """GetDeployment hides the AppSpec; GetApplicationRevision returns it by its sha."""
    revision = setting.info(succeeded)["revision"]

    assert "content" not in revision["appSpecContent"]
    answer = setting.codedeploy.get_application_revision(
        applicationName="shop", revision=revision
    )
    content = answer["revision"]["appSpecContent"]["content"]
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    assert revision["appSpecContent"]["sha256"] == sha256
    assert ["live"] == answer["revisionInfo"]["deploymentGroups"]


def test_a_deployment_tells_its_groups_settings(setting, succeeded):
    """Load balancer, style, rollback and overview are as in AWS's answer."""
    info = setting.info(succeeded)

    pair = info["loadBalancerInfo"]["targetGroupPairInfoList"][0]
    assert [{"name": "blue"}, {"name": "green"}] == pair["targetGroups"]
    assert ("ECS", "user", "CodeDeployDefault.ECSAllAtOnce") == (
        info["computePlatform"],
        info["creator"],
        info["deploymentConfigName"],
    )
    assert 1 == info["deploymentOverview"]["Succeeded"]
    assert info["createTime"] <= info["startTime"] <= info["completeTime"]


def test_a_target_tells_events_and_task_sets(setting, succeeded):
    """Eight events with times and two labelled task sets."""
    target = setting.target(succeeded)

    assert ("main:shop", "Succeeded") == (target["targetId"], target["status"])
    assert 8 == len(target["lifecycleEvents"])
    assert all(
        e["startTime"] <= e["endTime"] and e["diagnostics"]["errorCode"] == "Success"
        for e in target["lifecycleEvents"]
    )
    labels = {each["taskSetLabel"]: each for each in target["taskSetsInfo"]}
    assert {"Blue", "Green"} == set(labels)
    assert ("PRIMARY", 100.0) == (
        labels["Green"]["status"],
        labels["Green"]["trafficWeight"],
    )


def test_targets_are_listed_and_fetched_in_batches(setting, succeeded):
    """ListDeploymentTargets and BatchGetDeploymentTargets agree."""
    ids = setting.codedeploy.list_deployment_targets(deploymentId=succeeded)

    targets = setting.codedeploy.batch_get_deployment_targets(
        deploymentId=succeeded, targetIds=ids["targetIds"]
    )["deploymentTargets"]

    assert ["main:shop"] == [each["ecsTarget"]["targetId"] for each in targets]


def test_deployments_are_listed_by_status(setting, succeeded):
    """ListDeployments filters by group and status."""
    listed = setting.codedeploy.list_deployments(
        applicationName="shop",
        deploymentGroupName="live",
        includeOnlyStatuses=["Succeeded"],
    )["deployments"]

    infos = setting.codedeploy.batch_get_deployments(deploymentIds=listed)
    assert succeeded in listed
    assert {"Succeeded"} == {each["status"] for each in infos["deploymentsInfo"]}


def test_a_group_tells_its_service_and_its_deployments(setting, succeeded):
    """A group is the one place that tells ecsServices."""
    info = setting.codedeploy.get_deployment_group(
        applicationName="shop", deploymentGroupName="live"
    )["deploymentGroupInfo"]

    assert [{"clusterName": "main", "serviceName": "shop"}] == info["ecsServices"]
    assert "Succeeded" == info["lastSuccessfulDeployment"]["status"]


def test_revisions_are_listed_by_their_use(setting, succeeded):
    """What a group last brought live is its target; other revisions are none."""
    other = {"revisionType": "String", "string": {"content": setting.app_spec("1")}}
    app = {"applicationName": "shop"}
    setting.codedeploy.register_application_revision(**app, revision=other)

    def listed(deployed):
        answer = setting.codedeploy.list_application_revisions(**app, deployed=deployed)
        return answer["revisions"]

    target = setting.codedeploy.get_deployment_group(**app, deploymentGroupName="live")[
        "deploymentGroupInfo"
    ]["targetRevision"]
    assert setting.info(succeeded)["revision"] == target
    assert [target] == listed("include")
    others = listed("exclude")
    assert (True, True) == (bool(others), target not in others)
    assert len(listed("ignore")) == 1 + len(others)


def test_boto3s_waiter_sees_the_end(setting, succeeded):
    """The stock waiter takes a Succeeded deployment for one."""
    waiter = setting.codedeploy.get_waiter("deployment_successful")

    waiter.wait(deploymentId=succeeded, WaiterConfig={"Delay": 1, "MaxAttempts": 1})


def test_a_group_can_be_updated_and_a_revision_registered(setting):
    """UpdateDeploymentGroup changes what it is given and keeps the rest."""
    client = setting.codedeploy
    service = {"clusterName": "main", "serviceName": "second"}
    request = setting.group(deploymentGroupName="second", ecsServices=[service])
    client.create_deployment_group(**request)

    client.update_deployment_group(
        applicationName="shop",
        currentDeploymentGroupName="second",
        newDeploymentGroupName="third",
        deploymentConfigName="CodeDeployDefault.ECSCanary10Percent5Minutes",
    )

    info = client.get_deployment_group(
        applicationName="shop", deploymentGroupName="third"
    )["deploymentGroupInfo"]
    assert (
        "CodeDeployDefault.ECSCanary10Percent5Minutes" == (info["deploymentConfigName"])
    )
    assert info["loadBalancerInfo"] == request["loadBalancerInfo"]
    content = {"content": setting.app_spec("3")}
    revision = {"revisionType": "AppSpecContent", "appSpecContent": content}
    client.register_application_revision(applicationName="shop", revision=revision)
    listed = client.list_application_revisions(applicationName="shop")["revisions"]
    sha256 = hashlib.sha256(content["content"].encode()).hexdigest()
    kept = [each.get("appSpecContent", {}).get("sha256") for each in listed]
    assert sha256 in kept


def test_configurations_are_listed_and_made(setting):
    """The predefined ones are there; a custom one can be added."""
    client = setting.codedeploy
    linear = {"linearPercentage": 20, "linearInterval": 1}
    client.create_deployment_config(
        deploymentConfigName="Custom",
        computePlatform="ECS",
        trafficRoutingConfig={"type": "TimeBasedLinear", "timeBasedLinear": linear},
    )

    names = client.list_deployment_configs()["deploymentConfigsList"]

    assert {"Custom", "CodeDeployDefault.ECSAllAtOnce"} <= set(names)
    info = client.get_deployment_config(deploymentConfigName="Custom")
    routing = info["deploymentConfigInfo"]["trafficRoutingConfig"]
    assert linear == routing["timeBasedLinear"]


@pytest.mark.parametrize("kind", ["application:shop", "deploymentgroup:shop/live"])
def test_tags_are_kept(setting, kind):
    """What is tagged tells its tags, less those that are taken off again."""
    client = setting.codedeploy
    arn = {"ResourceArn": f"arn:aws:codedeploy:us-east-1:123456789012:{kind}"}
    tags = [{"Key": "team", "Value": "tea"}, {"Key": "cost", "Value": "7"}]
    client.tag_resource(**arn, Tags=tags)
    client.untag_resource(**arn, TagKeys=["cost", "nothing"])

    assert tags[:1] == client.list_tags_for_resource(**arn)["Tags"]


def test_an_application_is_created_with_tags(setting):
    """CreateApplication's own tags are kept, too."""
    client, tags = setting.codedeploy, [{"Key": "team", "Value": "tea"}]
    client.create_application(applicationName="till", computePlatform="ECS", tags=tags)
    arn = "arn:aws:codedeploy:us-east-1:123456789012:application:till"

    assert tags == client.list_tags_for_resource(ResourceArn=arn)["Tags"]
