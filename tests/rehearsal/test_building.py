"""A scenario's resources on an emulator, and its plan."""

import shutil

import pytest
from support.command import ROOT

from hookgate_rehearsal.building import (
    ADVANCED_TIER,
    BUCKET,
    PARAMETER_PREFIX,
    STANDARD_TIER,
    ScenarioPlan,
    register_task_definition,
    set_up,
)
from hookgate_rehearsal.rehearse import Rehearsal, RehearsalObserver
from hookgate_rehearsal.scenario.reader import read_scenario

SCENARIOS = ROOT / "tests" / "scenarios"


@pytest.fixture(scope="module", name="scenario")
def _scenario(tmp_path_factory):
    """A scenario with every key, and a plan that is large for SSM."""
    folder = tmp_path_factory.mktemp("scenarios")
    plan = (SCENARIOS / "plan.yaml").read_text("utf-8") + "#" * STANDARD_TIER
    (folder / "plan.yaml").write_text(plan, "utf-8")
    file = folder / "valid" / "every-key.yaml"
    shutil.copytree(SCENARIOS / "valid", file.parent)
    return read_scenario(file)


@pytest.fixture(scope="module", name="built")
def _built(scenario):
    """An emulator and what was built on it."""
    with Rehearsal(
        scenario=scenario, observer=RehearsalObserver()
    ).emulator() as emulator:
        yield emulator, set_up(emulator, scenario)


@pytest.fixture(name="emulator")
def _emulator(built):
    return built[0]


@pytest.fixture(name="group")
def _group(emulator):
    """The deployment group, as CodeDeploy tells it."""
    result = emulator.client("codedeploy").get_deployment_group(
        applicationName="shop", deploymentGroupName="live"
    )
    return result["deploymentGroupInfo"]


def test_two_target_groups_have_the_health_check(emulator):
    """Both groups are checked as the scenario says."""
    result = emulator.client("elbv2").describe_target_groups()["TargetGroups"]
    checks = {
        each["TargetGroupName"]: (
            each["Protocol"],
            each["HealthCheckPath"],
            each["HealthCheckIntervalSeconds"],
            each["HealthCheckTimeoutSeconds"],
            each["HealthyThresholdCount"],
            each["UnhealthyThresholdCount"],
            each["Matcher"]["HttpCode"],
        )
        for each in result
    }
    expected = ("TCP", "/health", 10, 5, 3, 4, "200-299")
    assert {"shop-a": expected, "shop-b": expected} == checks


def test_tcp_listeners_are_a_network_load_balancers(emulator):
    """The load balancer is of the kind that has such listeners."""
    (balancer,) = emulator.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert "network" == balancer["Type"]


def test_group_without_a_test_listener_has_none(built, group):
    """``test: null`` leaves the test listener out everywhere."""
    (pair,) = group["loadBalancerInfo"]["targetGroupPairInfoList"]
    assert (None, False) == (built[1].test, "testTrafficRoute" in pair)


def test_group_deploys_as_the_scenario_says(group):
    """Configuration, rollback and termination are the scenario's."""
    blue = group["blueGreenDeploymentConfiguration"]
    assert (
        "CodeDeployDefault.ECSAllAtOnce",
        ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST"],
        5,
        [{"serviceName": "shop", "clusterName": "main"}],
    ) == (
        group["deploymentConfigName"],
        group["autoRollbackConfiguration"]["events"],
        blue["terminateBlueInstancesOnDeploymentSuccess"][
            "terminationWaitTimeInMinutes"
        ],
        group["ecsServices"],
    )


def test_group_follows_the_scenarios_alarms(group):
    """The group's alarm configuration is enabled and names them."""
    assert {
        "enabled": True,
        "ignorePollAlarmFailure": True,
        "alarms": [{"name": "unwell"}],
    } == group["alarmConfiguration"]


def test_alarms_watch_what_the_scenario_says(emulator):
    """Metric and composite alarms stand, with the dimensions that were left out."""
    result = emulator.client("cloudwatch").describe_alarms(
        AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    (flows, slow, gate) = result["MetricAlarms"]
    (unwell,) = result["CompositeAlarms"]
    (balancer,) = emulator.client("elbv2").describe_load_balancers()["LoadBalancers"]
    path = balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]
    assert [{"Name": "LoadBalancer", "Value": path}] == flows["Dimensions"]
    assert ("LessThanThreshold", 0.5, 300, 2) == (
        flows["ComparisonOperator"],
        flows["Threshold"],
        flows["Period"],
        flows["DatapointsToAlarm"],
    )
    assert ("p99", "GreaterThanThreshold") == (
        slow["ExtendedStatistic"],
        slow["ComparisonOperator"],
    )
    assert {"Application": "shop", "DeploymentGroup": "live"} == {
        each["Name"]: each["Value"] for each in gate["Dimensions"]
    }
    assert "ALARM(flows) OR ALARM(slow)" == unwell["AlarmRule"]


def test_service_runs_the_first_version(emulator):
    """The service has its count of tasks of the image it starts with."""
    ecs = emulator.client("ecs")
    (service,) = ecs.describe_services(cluster="main", services=["shop"])["services"]
    definition = ecs.describe_task_definition(
        taskDefinition=service["taskSets"][0]["taskDefinition"]
    )["taskDefinition"]
    (container,) = definition["containerDefinitions"]
    assert (3, "web", "shop:1", 8080) == (
        service["desiredCount"],
        container["name"],
        container["image"],
        container["portMappings"][0]["containerPort"],
    )


def test_plan_lies_where_the_hooks_look(emulator, scenario):
    """The plan is the parameter of the application and the deployment group."""
    result = emulator.client("ssm").get_parameter(Name=f"{PARAMETER_PREFIX}/shop/live")
    assert scenario.plan.read_text("utf-8") == result["Parameter"]["Value"]


def test_new_version_is_a_new_revision(emulator, scenario):
    """Each version is a revision of the service's family."""
    arns = [register_task_definition(emulator, scenario, "shop:1") for _ in range(2)]
    first, second = (int(arn.rpartition(":")[2]) for arn in arns)
    assert first + 1 == second


def test_plan_too_large_for_the_standard_tier_is_kept(emulator):
    """A plan of more than 4 KiB needs the advanced tier of parameters, and gets it."""
    found = emulator.client("ssm").describe_parameters()["Parameters"]
    assert ["Advanced"] == [each["Tier"] for each in found if "/shop/" in each["Name"]]


def _objects(emulator, application):
    s3 = emulator.client("s3")
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{application}/")
    return {
        each["Key"]: s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()
        for each in found.get("Contents", ())
    }


def _parameters(emulator, application):
    found = emulator.client("ssm").describe_parameters()["Parameters"]
    return [each["Name"] for each in found if f"/{application}/" in each["Name"]]


def _plan(**changes):
    return ScenarioPlan(
        **{"source": b"version: 1", "events": (), "files": {}} | changes
    )


def test_a_plan_alone_is_a_parameter(emulator):
    """What has no files goes to SSM."""
    _plan().store(emulator, "alone", "live")
    assert ["/hookgate/plans/alone/live"] == _parameters(emulator, "alone")
    assert {} == _objects(emulator, "alone")


def test_a_plan_with_files_is_an_object_among_them(emulator):
    """Files lie below the application, where the hooks look for them."""
    _plan(files={"data/users.csv": b"name"}).store(emulator, "filed", "live")
    assert [] == _parameters(emulator, "filed")
    assert {
        "filed/data/users.csv": b"name",
        "filed/live.yaml": b"version: 1",
    } == _objects(emulator, "filed")


def test_a_plan_too_large_for_a_parameter_is_an_object(emulator):
    """SSM takes 8 KiB at most."""
    source = b"#" * (ADVANCED_TIER + 1)
    _plan(source=source).store(emulator, "large", "live")
    assert [] == _parameters(emulator, "large")
    assert {"large/live.yaml": source} == _objects(emulator, "large")
