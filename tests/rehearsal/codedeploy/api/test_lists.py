"""CodeDeploy's lists, longer than a page."""

import pytest
from botocore.exceptions import ClientError
from support.emulator_setup import SETTINGS

from hookgate_rehearsal.emulator import Emulator

MANY = [f"item-{number:03d}" for number in range(101)]
APP = {"applicationName": "item-000"}
CONTENT = """
version: 0.0
Resources:
  - Target:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: arn:aws:ecs:us-east-1:123456789012:task-definition/{}:1
        LoadBalancerInfo: {{ContainerName: web, ContainerPort: 80}}
"""
PAIR = {
    "targetGroups": [{"name": "a"}, {"name": "b"}],
    "prodTrafficRoute": {"listenerArns": ["arn"]},
}
GROUP = APP | {
    "serviceRoleArn": "arn:aws:iam::123456789012:role/CodeDeploy",
    "deploymentStyle": {
        "deploymentType": "BLUE_GREEN",
        "deploymentOption": "WITH_TRAFFIC_CONTROL",
    },
    "loadBalancerInfo": {"targetGroupPairInfoList": [PAIR]},
    "blueGreenDeploymentConfiguration": {"deploymentReadyOption": {}},
}


@pytest.fixture(name="client", scope="module")
def _client():
    with Emulator(images={}, settings=SETTINGS) as emulator:
        client = emulator.client("codedeploy")
        for name in MANY:
            client.create_application(applicationName=name, computePlatform="ECS")
            service = {"clusterName": "main", "serviceName": name}
            client.create_deployment_group(
                **GROUP, deploymentGroupName=name, ecsServices=[service]
            )
            client.create_deployment_config(
                deploymentConfigName=name,
                computePlatform="ECS",
                trafficRoutingConfig={"type": "AllAtOnce"},
            )
            revision = {"revisionType": "String", "string": {}}
            revision["string"]["content"] = CONTENT.format(name)
            client.register_application_revision(**APP, revision=revision)
        yield client


LISTS = [
    pytest.param("list_applications", {}, "applications", 101, id="applications"),
    pytest.param("list_deployment_groups", APP, "deploymentGroups", 101, id="groups"),
    pytest.param(
        "list_deployment_configs", {}, "deploymentConfigsList", 106, id="configs"
    ),
    pytest.param("list_application_revisions", APP, "revisions", 101, id="revisions"),
]


@pytest.mark.parametrize(("operation", "request_", "member", "expected"), LISTS)
def test_a_long_list_comes_in_pages(client, operation, request_, member, expected):
    """boto3's paginator finds every item, a hundred at a time."""
    pages = list(client.get_paginator(operation).paginate(**request_))

    items = [str(each) for page in pages for each in page[member]]
    assert [100, expected - 100] == [len(page[member]) for page in pages]
    assert expected == len(set(items))


@pytest.mark.parametrize(("operation", "request_", "member", "expected"), LISTS)
def test_a_foreign_token_is_refused(client, operation, request_, member, expected):
    """A token that no page ended with has its own exception."""
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**request_, nextToken="bm9uc2Vuc2U=")

    assert "InvalidNextTokenException" == refused.value.response["Error"]["Code"]


def test_revisions_are_sorted(client):
    """The newest comes first where that is asked for."""
    listed = client.list_application_revisions(
        **APP, sortBy="registerTime", sortOrder="descending"
    )["revisions"]
    newest = client.get_application_revision(**APP, revision=listed[0])

    assert "item-100" in newest["revision"]["string"]["content"]
