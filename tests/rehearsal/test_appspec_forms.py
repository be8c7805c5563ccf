"""An AppSpec with everything that it may say, deployed on an emulator."""

import pytest
from support.emulator_setup import IMAGES, SETTINGS, Setting, fetch, function, wait_for

from hookgate_rehearsal.emulator import Emulator

NAME = "CodeDeployHook_always_yes"
ARN = f"arn:aws:lambda:us-east-1:123456789012:function:{NAME}"
EVERYTHING = """
version: "0.0"
resources:
  - shop:
      type: AWS::ECS::Service
      properties:
        taskDefinition: {definition}
        loadBalancerInfo: {{containerName: web, containerPort: 80}}
        platformVersion: 1.4.0
        networkConfiguration:
          awsvpcConfiguration:
            subnets: [subnet-1]
            securityGroups: [sg-1]
            assignPublicIp: DISABLED
        capacityProviderStrategy:
          - {{capacityProvider: FARGATE, base: 1, weight: 1}}
          - {{capacityProvider: FARGATE_SPOT, weight: 3}}
hooks:
  - beforeInstall: {name}
  - afterInstall: {arn}
    afterAllowTestTraffic: {arn}:live
  - BeforeAllowTraffic: 123456789012:function:{name}
"""


@pytest.fixture(name="setting", scope="module")
def _setting():
    with Emulator(
        images=IMAGES, functions=[function("always_yes")], settings=SETTINGS
    ) as emulator:
        yield Setting(emulator).build()


def test_everything_in_an_appspec_has_its_effect(setting):
    """Hooks are found by name and by ARN, and ECS gets every property."""
    content = EVERYTHING.format(
        definition=setting.task_definition("2"), name=NAME, arn=ARN
    )
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {}}
    revision["appSpecContent"]["content"] = content

    id_ = setting.codedeploy.create_deployment(
        applicationName="shop", deploymentGroupName="live", revision=revision
    )["deploymentId"]

    assert "Succeeded" == setting.ended(id_)["status"]
    wait_for(lambda: len(setting.task_sets()) == 1)
    (green,) = setting.task_sets()
    vpc = green["networkConfiguration"]["awsvpcConfiguration"]
    assert ("1.4.0", None) == (green["platformVersion"], green.get("launchType"))
    assert (["subnet-1"], ["sg-1"]) == (vpc["subnets"], vpc["securityGroups"])
    providers = green["capacityProviderStrategy"]
    assert [("FARGATE", 1, 1), ("FARGATE_SPOT", 0, 3)] == [
        (each["capacityProvider"], each["base"], each["weight"]) for each in providers
    ]
    assert "2" == fetch(setting.ports["production"])


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        pytest.param("Name: web", "Name: wep", "wep does not exist", id="container"),
        pytest.param("Port: 80", "Port: 81", "container port 81 defined", id="port"),
    ],
)
def test_a_container_that_is_not_there_fails_the_install(setting, old, new, text):
    """Unreachable tasks never get traffic."""
    before = fetch(setting.ports["production"])
    content = EVERYTHING.replace(old, new).format(
        definition=setting.task_definition("3"), name=NAME, arn=ARN
    )
    revision = {"revisionType": "String", "string": {"content": content}}

    id_ = setting.codedeploy.create_deployment(
        applicationName="shop", deploymentGroupName="live", revision=revision
    )["deploymentId"]

    info = setting.ended(id_)
    assert ("Failed", "ECS_UPDATE_ERROR") == (
        info["status"],
        info["errorInformation"]["code"],
    )
    assert text in info["errorInformation"]["message"]
    assert before == fetch(setting.ports["production"])
