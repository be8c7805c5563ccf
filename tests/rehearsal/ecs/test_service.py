"""ECS on an emulator: task sets whose tasks are processes."""

import os
import signal

import pytest
from botocore.exceptions import ClientError
from support.emulator_setup import IMAGES, SETTINGS, Setting, fetch, wait_for

from hookgate_rehearsal.emulator import Emulator


@pytest.fixture(name="setting", scope="module")
def _setting():
    with Emulator(images=IMAGES, settings=SETTINGS) as emulator:
        yield Setting(emulator, desired=2).build()


def tasks(setting, **request):
    arns = setting.ecs.list_tasks(cluster="main", serviceName="shop", **request)
    if not arns["taskArns"]:
        return []
    found = setting.ecs.describe_tasks(cluster="main", tasks=arns["taskArns"])
    return found["tasks"]


def test_a_service_has_its_tasks(setting):
    """A PRIMARY task set with as many tasks as desired, all running."""
    service = setting.ecs.describe_services(cluster="main", services=["shop"])
    shown = service["services"][0]

    assert (2, 2, 0) == (
        shown["desiredCount"],
        shown["runningCount"],
        shown["pendingCount"],
    )
    assert ["PRIMARY"] == [each["status"] for each in shown["taskSets"]]
    assert {"RUNNING"} == {each["lastStatus"] for each in tasks(setting)}
    assert "1" == fetch(setting.ports["production"])


def test_a_task_that_dies_is_replaced(setting):
    """The dead one is STOPPED with its exit code; another runs in its place."""
    known = setting.emulator.data_plane.health(setting.groups["blue"])
    victim = next(each.target for each in known if each.state == "healthy")
    before = {each["taskArn"] for each in tasks(setting)}
    os.kill(pid_of(victim.port), signal.SIGKILL)

    code = "EssentialContainerExited"  # other tests stop tasks in other ways
    (stopped,) = wait_for(
        lambda: [
            task
            for task in tasks(setting, desiredStatus="STOPPED")
            if task["stopCode"] == code
        ]
    )
    wait_for(lambda: len(tasks(setting)) == 2)

    assert "Essential container" in stopped["stoppedReason"]
    assert before != {each["taskArn"] for each in tasks(setting)}


def test_a_client_sets_no_variables_of_an_interpreter(setting):
    """The task does not start, and its reason names the variable."""
    definition = setting.task_definition("1")
    found = setting.ecs.describe_task_definition(taskDefinition=definition)
    (container,) = found["taskDefinition"]["containerDefinitions"]
    container["environment"] = [
        {"name": "PYTHONWARNINGS", "value": "all:0:antigravity.x"}
    ]
    attacker = setting.ecs.register_task_definition(
        family="attacker", containerDefinitions=[container]
    )["taskDefinition"]["taskDefinitionArn"]
    where = {"cluster": "main", "service": "shop"}
    made = setting.ecs.create_task_set(
        **where, taskDefinition=attacker, scale={"unit": "PERCENT", "value": 50}
    )["taskSet"]

    (stopped, *_) = wait_for(
        lambda: [
            task
            for task in tasks(setting, desiredStatus="STOPPED")
            if task["stopCode"] == "TaskFailedToStart"
        ]
    )

    setting.ecs.delete_task_set(**where, taskSet=made["id"], force=True)
    wait_for(lambda: len(setting.task_sets()) == 1)
    assert "must not set PYTHONWARNINGS" in stopped["stoppedReason"]


def pid_of(port):
    """The process group of the task on a port."""
    for entry in os.listdir("/proc"):  # noqa: PTH208 - procfs
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as environ:  # noqa: PTH123 - procfs
                variables = environ.read().split(b"\0")
        except OSError:
            continue
        if f"PORT={port}".encode() in variables:
            return int(entry)
    raise AssertionError(f"no process has the port {port}")


def test_a_task_set_can_be_made_made_primary_and_deleted(setting):
    """CreateTaskSet, UpdateServicePrimaryTaskSet and DeleteTaskSet by hand."""
    ecs, where = setting.ecs, {"cluster": "main", "service": "shop"}
    original = setting.task_sets()[0]
    made = ecs.create_task_set(
        **where,
        taskDefinition=setting.task_definition("2"),
        externalId="by hand",
        scale={"value": 50.0, "unit": "PERCENT"},
        loadBalancers=[
            {
                "targetGroupArn": setting.groups["green"],
                "containerName": "web",
                "containerPort": 80,
            }
        ],
    )["taskSet"]
    wait_for(lambda: described(setting, made["id"])["runningCount"] == 1)

    with pytest.raises(ClientError, match="PRIMARY"):
        ecs.delete_task_set(**where, taskSet=original["id"])
    ecs.update_service_primary_task_set(**where, primaryTaskSet=made["taskSetArn"])
    ecs.update_service_primary_task_set(**where, primaryTaskSet=original["taskSetArn"])
    ecs.delete_task_set(**where, taskSet=made["id"])

    wait_for(lambda: [each["id"] for each in setting.task_sets()] == [original["id"]])
    assert ("by hand", 1) == (made["externalId"], made["computedDesiredCount"])


def described(setting, task_set):
    found = setting.ecs.describe_task_sets(
        cluster="main", service="shop", taskSets=[task_set]
    )
    return found["taskSets"][0]


def scale(setting, count):
    """Change the desired count, and wait for this number of tasks."""
    setting.ecs.update_service(cluster="main", service="shop", desiredCount=count)
    wait_for(lambda: len(tasks(setting)) == count)


def test_what_a_task_set_cannot_do_disturbs_no_other(setting):
    """Its tasks do not start, with the reason, and other task sets are looked after."""
    ecs, where = setting.ecs, {"cluster": "main", "service": "shop"}
    definition = ecs.register_task_definition(
        family="odd",
        containerDefinitions=[
            {
                "name": "web",
                "image": "shop:1",
                "memory": 64,
                "environment": [{"name": "EMPTY"}, {"value": "nameless"}],
                "portMappings": [{"containerPort": 80}],
            }
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    for share in (-1, 101):
        with pytest.raises(ClientError, match="0 to 100 percent"):
            ecs.create_task_set(
                **where,
                taskDefinition=definition,
                scale={"unit": "PERCENT", "value": share},
            )

    made = ecs.create_task_set(
        **where,
        taskDefinition=definition,
        scale={"unit": "PERCENT", "value": 50},
        loadBalancers=[behind(setting, "arn:unknown")],
    )["taskSet"]
    (stopped, *_) = wait_for(
        lambda: [
            task
            for task in tasks(setting, desiredStatus="STOPPED")
            if "arn:unknown" in task["stoppedReason"]
        ]
    )
    scale(setting, 1)
    scale(setting, 2)

    ecs.delete_task_set(**where, taskSet=made["id"], force=True)
    wait_for(lambda: len(setting.task_sets()) == 1)
    assert "TaskFailedToStart" == stopped["stopCode"]


def test_a_service_can_be_scaled(setting):
    """UpdateService changes how many tasks run."""
    scale(setting, 1)
    scale(setting, 2)


def test_tasks_are_listed_a_page_at_a_time(setting):
    """boto3's paginator finds each task once, one at a time where that is asked."""
    wait_for(lambda: len(tasks(setting)) == 2)
    asked = {"cluster": "main", "serviceName": "shop"}

    pages = setting.ecs.get_paginator("list_tasks").paginate(
        **asked, PaginationConfig={"PageSize": 1}
    )

    listed = [page["taskArns"] for page in pages]
    assert [1, 1] == [len(each) for each in listed]
    assert {each for page in listed for each in page} == {
        each["taskArn"] for each in tasks(setting)
    }


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        pytest.param("list_tasks", {"maxResults": 0}, "1 to 100", id="no page"),
        pytest.param("list_tasks", {"maxResults": 101}, "1 to 100", id="a long page"),
        pytest.param("list_tasks", {"nextToken": "x"}, "nextToken", id="token"),
        pytest.param("describe_tasks", {"tasks": ["x"] * 101}, "not 101", id="tasks"),
        pytest.param("describe_tasks", {"tasks": []}, "cannot be empty", id="none"),
    ],
)
def test_more_than_a_page_is_refused(setting, operation, request_, message):
    """A page has 1 to 100 tasks, and a token is one that a page ended with."""
    with pytest.raises(ClientError, match=message) as caught:
        getattr(setting.ecs, operation)(cluster="main", **request_)

    assert "InvalidParameterException" == caught.value.response["Error"]["Code"]


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("describe_task_sets", {"service": "unknown"}, "ServiceNotFoundException"),
        (
            "delete_task_set",
            {"service": "unknown", "taskSet": "ecs-svc/1"},
            "TaskSetNotFoundException",
        ),
        ("list_tasks", {"serviceName": "unknown"}, "ServiceNotFoundException"),
        ("list_tasks", {"cluster": "unknown"}, "ClusterNotFoundException"),
        (
            "describe_tasks",
            {"cluster": "unknown", "tasks": ["1"]},
            "ClusterNotFoundException",
        ),
        ("stop_task", {"cluster": "unknown", "task": "1"}, "ClusterNotFoundException"),
    ],
)
def test_what_does_not_exist_is_refused(setting, operation, request_, code):
    """Each has the error that ECS models."""
    with pytest.raises(ClientError) as caught:
        getattr(setting.ecs, operation)(**{"cluster": "main"} | request_)

    assert code == caught.value.response["Error"]["Code"]


def behind(setting, group="blue"):
    """A load balancer's entry in CreateService."""
    arn = setting.groups.get(group, group)
    return {"targetGroupArn": arn, "containerName": "web", "containerPort": 80}


CODEDEPLOY = "services with a CODE_DEPLOY deployment controller"


@pytest.mark.parametrize(
    ("member", "value", "says"),
    [
        ("taskDefinition", "shop:1", "Unable to update task definition on"),
        ("loadBalancers", [{"containerName": "web"}], "Unable to update load balan"),
        ("platformVersion", "1.4.0", "Unable to update platform version on"),
        (
            "networkConfiguration",
            {"awsvpcConfiguration": {"subnets": ["s"]}},
            "Unable to update network parameters on",
        ),
        ("forceNewDeployment", True, "Cannot force a new deployment on"),
    ],
)
def test_codedeploy_alone_changes_its_services(setting, member, value, says):
    """UpdateService refuses what needs a deployment, and nothing changes."""
    before = setting.task_sets()
    with pytest.raises(ClientError, match=f"{says}.*{CODEDEPLOY}") as caught:
        setting.ecs.update_service(cluster="main", service="shop", **{member: value})

    assert "InvalidParameterException" == caught.value.response["Error"]["Code"]
    assert [each["id"] for each in before] == [e["id"] for e in setting.task_sets()]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"serviceName": "shop"}, "not idempotent", id="twice"),
        pytest.param({"loadBalancers": []}, "balancer must be provided", id="none"),
        pytest.param({"loadBalancers": "alone"}, "an associated load", id="unused"),
        pytest.param({"networkMode": "awsvpc"}, "Network Config", id="no network"),
        pytest.param({"desiredCount": -1}, "at least 0", id="count"),
        pytest.param({"launchType": "MOON"}, "launchType is 'MOON'", id="enum"),
        pytest.param({"taskDefinition": None}, "can not be blank", id="no definition"),
    ],
)
def test_a_service_that_cannot_run_is_refused(setting, changes, says):
    """CreateService checks the name, the target group and the network."""
    ecs = setting.ecs
    if changes.get("loadBalancers") == "alone":
        arn = setting.elbv2.create_target_group(
            Name="alone",
            Protocol="HTTP",
            Port=80,
            VpcId=setting.emulator.vpc,
            TargetType="ip",
        )["TargetGroups"][0]["TargetGroupArn"]
        changes = {"loadBalancers": [behind(setting, arn)]}
    definition = ecs.register_task_definition(
        family="refused",
        networkMode=changes.get("networkMode", "bridge"),
        containerDefinitions=[
            {
                "name": "web",
                "image": "shop:1",
                "memory": 64,
                "portMappings": [{"containerPort": 80}],
            }
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    request = {
        "cluster": "main",
        "serviceName": "refused",
        "taskDefinition": definition,
        "desiredCount": 1,
        "deploymentController": {"type": "CODE_DEPLOY"},
        "loadBalancers": [behind(setting)],
        **{k: v for k, v in changes.items() if k != "networkMode"},
    }
    request = {k: v for k, v in request.items() if v is not None}

    with pytest.raises(ClientError, match=says) as caught:
        ecs.create_service(**request)

    assert "InvalidParameterException" == caught.value.response["Error"]["Code"]
    assert len(setting.task_sets()) == 1
    asked = {"cluster": "main", "services": ["refused"]}
    assert [] == ecs.describe_services(**asked)["services"]


def test_a_repeated_client_token_creates_nothing(setting):
    """The same request has the same service; another one is refused."""
    ecs, where = setting.ecs, {"cluster": "main", "service": "once"}
    request = {
        "cluster": "main",
        "serviceName": "once",
        "taskDefinition": setting.task_definition("1"),
        "desiredCount": 0,
        "deploymentController": {"type": "CODE_DEPLOY"},
        "loadBalancers": [behind(setting)],
    }
    first = ecs.create_service(**request, clientToken="t")["service"]
    again = ecs.create_service(**request, clientToken="t")["service"]

    assert [first["taskSets"][0]["id"]] == [each["id"] for each in again["taskSets"]]
    for changes in ({"clientToken": "other"}, {"clientToken": "t", "desiredCount": 1}):
        with pytest.raises(ClientError, match="not idempotent"):
            ecs.create_service(**request | changes)
    ecs.delete_service(**where)


@pytest.mark.parametrize("role", ["arn:aws:iam::1:role/tea", "arn:tea", "a tea role"])
def test_a_role_that_is_none_is_refused(setting, role):
    """Task definitions and services have names or ARNs of roles."""
    ecs, containers = setting.ecs, [{"name": "web", "image": "shop:1", "memory": 64}]
    for member in ("taskRoleArn", "executionRoleArn"):
        with pytest.raises(ClientError, match=r"ClientException.*Role is not valid"):
            ecs.register_task_definition(
                family="roles", containerDefinitions=containers, **{member: role}
            )
    with pytest.raises(ClientError, match=r"InvalidParameterEx.*Role is not valid"):
        ecs.create_service(
            cluster="main", serviceName="roles", taskDefinition="shop", role=role
        )

    made = ecs.register_task_definition(
        family="roles",
        containerDefinitions=containers,
        taskRoleArn="tea",
        executionRoleArn="arn:aws:iam::123456789012:role/tea/tasks",
    )
    assert "tea" == made["taskDefinition"]["taskRoleArn"]


def test_a_cluster_with_services_stays(setting):
    """DeleteCluster refuses while a service is active, and obeys afterwards."""
    ecs = setting.ecs
    ecs.create_cluster(clusterName="other")
    ecs.create_service(
        cluster="other",
        serviceName="shop",
        taskDefinition=setting.task_definition("1"),
        desiredCount=0,
        deploymentController={"type": "CODE_DEPLOY"},
        loadBalancers=[behind(setting)],
    )
    with pytest.raises(ecs.exceptions.ClusterContainsServicesException):
        ecs.delete_cluster(cluster="other")

    ecs.delete_service(cluster="other", service="shop")
    for operation in (ecs.update_service, ecs.create_task_set):
        with pytest.raises(ecs.exceptions.ServiceNotActiveException):
            operation(cluster="other", service="shop", taskDefinition="shop")
    deleted = ecs.delete_cluster(cluster="other")["cluster"]
    assert "INACTIVE" == deleted["status"]


def test_a_services_tasks_end_with_it(setting):
    """DeleteService stops everything."""
    setting.ecs.create_service(
        cluster="main",
        serviceName="other",
        taskDefinition=setting.task_definition("1"),
        desiredCount=1,
        deploymentController={"type": "CODE_DEPLOY"},
        loadBalancers=[behind(setting)],
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    )
    listed = {"cluster": "main", "serviceName": "other"}
    wait_for(lambda: setting.ecs.list_tasks(**listed)["taskArns"])

    setting.ecs.delete_service(cluster="main", service="other", force=True)

    wait_for(lambda: not setting.ecs.list_tasks(**listed)["taskArns"])
