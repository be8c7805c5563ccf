"""An AppSpec with everything that it may say, deployed on a stage."""

import pytest
from support.stage_setting import IMAGES, SETTINGS, Setting, fetch, function, wait_for

from rehearsal.stage import Stage

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
    with Stage(
        images=IMAGES, functions=[function("always_yes")], settings=SETTINGS
    ) as stage:
        yield Setting(stage).build()


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
