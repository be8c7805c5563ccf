"""RunTask on an emulator: tasks of no service, which run to their end."""

import sys

import pytest
from botocore.exceptions import ClientError
from support.emulator_setup import SETTINGS, wait_for

from hookgate_rehearsal.ecs.containers import Image
from hookgate_rehearsal.emulator import Emulator

#: Ends with the number of its arguments, or with EXIT.
COUNT = "import os, sys; sys.exit(int(os.environ.get('EXIT', len(sys.argv) - 1)))"
PYTHON = (sys.executable, "-c")
IMAGES = {
    "migrate": Image(command=(*PYTHON, COUNT)),
    "tool": Image(entrypoint=(*PYTHON, COUNT), command=("default",)),
    "sleep": Image(command=(*PYTHON, "import time; time.sleep(600)")),
}
#: Of AWS's tutorial "Creating a service using a blue/green deployment".
HTTPD = {
    "entryPoint": ["sh", "-c"],
    "command": ["echo '<h1>Tea</h1>' > index.html && httpd-foreground"],
}


@pytest.fixture(name="ecs", scope="module")
def _ecs():
    with Emulator(images=IMAGES, settings=SETTINGS) as emulator:
        ecs = emulator.client("ecs")
        ecs.create_cluster(clusterName="main")
        yield ecs


def register(ecs, image="migrate", **container):
    """A Fargate task definition: the memory is that of the task alone."""
    made = ecs.register_task_definition(
        family=image,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "web", "image": image, **container}],
    )
    return made["taskDefinition"]["taskDefinitionArn"]


def run(ecs, task_definition, **changes):
    request = {
        "cluster": "main",
        "taskDefinition": task_definition,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    }
    return ecs.run_task(**(request | changes))["tasks"]


def ended(ecs, task):
    """The task once it has stopped."""
    request = {"cluster": "main", "tasks": [task["taskArn"]]}

    def stopped():
        (found,) = ecs.describe_tasks(**request)["tasks"]
        return found if found["lastStatus"] == "STOPPED" else None

    return wait_for(stopped)


def override(**changes):
    return {"containerOverrides": [{"name": "web", **changes}]}


def test_a_task_runs_to_its_end(ecs):
    """It is described with its exit code, and nothing replaces it."""
    (task,) = run(ecs, register(ecs), startedBy="ci")

    found = ended(ecs, task)

    assert ("family:migrate", "ci") == (found["group"], found["startedBy"])
    assert 0 == found["containers"][0]["exitCode"]
    assert "EssentialContainerExited" == found["stopCode"]
    asked = {"cluster": "main", "startedBy": "ci"}
    assert [] == ecs.list_tasks(**asked)["taskArns"]
    assert [task["taskArn"]] == ecs.list_tasks(**asked, desiredStatus="STOPPED")[
        "taskArns"
    ]


@pytest.mark.parametrize(
    ("image", "container", "overrides", "exit_code"),
    [
        pytest.param("migrate", HTTPD, {}, 0, id="AWS's tutorial"),
        pytest.param("migrate", {"command": ["npm", "start"]}, {}, 0, id="command"),
        pytest.param("tool", {}, {}, 1, id="the image's arguments"),
        pytest.param("tool", {"command": ["a", "b"]}, {}, 2, id="own arguments"),
        pytest.param("tool", HTTPD, {}, 1, id="entry point"),
        pytest.param("tool", {}, override(command=["a"] * 3), 3, id="overridden"),
        pytest.param(
            "migrate",
            {"environment": [{"name": "NONE"}, {"value": "nameless"}]},
            {},
            0,
            id="half a variable",
        ),
        pytest.param(
            "migrate",
            {"environment": [{"name": "EXIT", "value": "8"}]},
            override(environment=[{"name": "EXIT", "value": "7"}]),
            7,
            id="variable",
        ),
    ],
)
def test_command_of_a_task(ecs, image, container, overrides, exit_code):
    """Only programs of the image run; arguments replace those of its entry point."""
    (task,) = run(ecs, register(ecs, image, **container), overrides=overrides)

    assert exit_code == ended(ecs, task)["containers"][0]["exitCode"]


def test_a_task_can_be_stopped(ecs):
    """StopTask ends it with the reason."""
    (task,) = run(ecs, register(ecs, "sleep"))

    ecs.stop_task(cluster="main", task=task["taskArn"], reason="enough")

    assert "enough" == ended(ecs, task)["stoppedReason"]


def test_a_repeated_token_runs_nothing_new(ecs):
    """The same tasks for the same request; another request is a conflict."""
    definition = register(ecs)

    first, again = (run(ecs, definition, clientToken="t", count=2) for _ in range(2))

    assert [each["taskArn"] for each in first] == [each["taskArn"] for each in again]
    with pytest.raises(ecs.exceptions.ConflictException):
        run(ecs, definition, clientToken="t", count=1)


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"cluster": "unknown"}, "ClusterNotFoundException", "Cluster not found"),
        ({"taskDefinition": "unknown"}, "ClientException", "task definition"),
        ({"networkConfiguration": {}}, "InvalidParameterException", "Network Config"),
        ({"count": 11}, "InvalidParameterException", "1 to 10"),
        (
            {"overrides": {"containerOverrides": [{"name": "db"}]}},
            "InvalidParameterException",
            "container named db",
        ),
        (
            {"overrides": {"containerOverrides": [{"command": ["a"]}]}},
            "InvalidParameterException",
            "container named None",
        ),
        ({"launchType": "MOON"}, "InvalidParameterException", "launchType is 'MOON'"),
    ],
)
def test_a_task_that_cannot_run_is_refused(ecs, changes, code, says):
    """Each has the error that ECS models."""
    with pytest.raises(ClientError, match=says) as caught:
        run(ecs, register(ecs), **changes)

    assert code == caught.value.response["Error"]["Code"]
