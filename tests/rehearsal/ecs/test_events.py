"""The events of a service, as DescribeServices returns them."""

import re

import pytest
from support.emulator_setup import IMAGES, SETTINGS, Setting, wait_for

from hookgate_rehearsal.emulator import Emulator


@pytest.fixture(name="setting", scope="module")
def _setting():
    with Emulator(images=IMAGES, settings=SETTINGS) as emulator:
        yield Setting(emulator, desired=2).build()


def messages(setting, service="shop"):
    """The events of a service, oldest first, without what differs in each run."""
    found = setting.ecs.describe_services(cluster="main", services=[service])
    names = {arn: name for name, arn in setting.groups.items()}
    texts = [each["message"] for each in reversed(found["services"][0]["events"])]
    for arn, name in names.items():
        texts = [text.replace(arn, name) for text in texts]
    return [re.sub(r"ecs-svc/\d+|[0-9a-f]{32}", "ID", text) for text in texts]


STARTED = [
    "(service shop) updated computedDesiredCount for taskSet ID to 2.",
    "(service shop) has started 2 tasks: (task ID) (task ID).",
    "(service shop) registered 2 targets in (target-group blue)",
    "(service shop, taskSet ID) updated state to STEADY_STATE.",
    "(service shop) has reached a steady state.",
]
SCALED = [
    "(service shop) updated computedDesiredCount for taskSet ID to 1.",
    "(service shop) deregistered 1 targets in (target-group blue)",
    "(service shop, taskSet ID) has begun draining connections on 1 tasks.",
    "(service shop) has stopped 1 running tasks: (task ID).",
]


def test_events_of_a_service(setting):
    """The start, the registration and the steady state; then those of a new count."""
    wait_for(lambda: STARTED == messages(setting))

    setting.ecs.update_service(cluster="main", service="shop", desiredCount=1)
    wait_for(lambda: messages(setting)[len(STARTED) + len(SCALED) :] == STARTED[-2:])

    assert SCALED == messages(setting)[len(STARTED) : -2]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        pytest.param(
            "unknown",
            r"\(service .*\) failed to launch a task with \(error CannotPullContainer"
            r"Error: no local command stands for the image 'shop:unknown'.*\)\.",
            id="no image",
        ),
        pytest.param(
            "crash",
            r"\(service .*\) is unable to consistently start tasks successfully\..*",
            id="crash",
        ),
    ],
)
def test_events_of_tasks_that_do_not_start(setting, version, expected):
    """The reason is there once, and no steady state."""
    name = f"bad-{version}"
    setting.ecs.create_service(
        cluster="main",
        serviceName=name,
        taskDefinition=setting.task_definition(version),
        desiredCount=1,
        deploymentController={"type": "CODE_DEPLOY"},
        loadBalancers=[
            {
                "targetGroupArn": setting.groups["blue"],
                "containerName": "web",
                "containerPort": 80,
            }
        ],
    )

    def warnings():
        return [
            text for text in messages(setting, name) if re.fullmatch(expected, text)
        ]

    wait_for(lambda: warnings() and len(stopped(setting, name)) > 3)
    setting.ecs.delete_service(cluster="main", service=name, force=True)

    assert 1 == len(warnings())
    assert not any("steady state" in text for text in messages(setting, name))


def stopped(setting, service):
    request = {"cluster": "main", "serviceName": service, "desiredStatus": "STOPPED"}
    return setting.ecs.list_tasks(**request)["taskArns"]
