"""AWS's tutorial "Creating a service using a blue/green deployment", with its inputs.

docs.aws.amazon.com/AmazonECS/latest/developerguide/create-blue-green.html. The ports of
the listener and the ids of the subnets are those of the emulator.
"""

import sys

import pytest
from support.emulator_setup import HERE, SETTINGS, fetch, free_port, wait_for

from hookgate_rehearsal.ecs.containers import Image
from hookgate_rehearsal.emulator import Emulator

#: A program that accepts no arguments.
PROGRAM = (
    "import os, runpy, sys; assert sys.argv == ['-c'], sys.argv; "
    "runpy.run_path(os.environ['APP'], run_name='__main__')"
)
COMMAND = (
    "/bin/sh -c \"echo '<html> <head> <title>Amazon ECS Sample App</title> </html>' >  "
    '/usr/local/apache2/htdocs/index.html && httpd-foreground"'
)
HTTPD = Image(
    command=(sys.executable, "-c", PROGRAM),
    environment={"VERSION": "It works!", "APP": str(HERE / "tiny_app.py")},
)
APPSPEC = """\
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: "{task_definition}"
        LoadBalancerInfo:
          ContainerName: "sample-app"
          ContainerPort: 80
        PlatformVersion: "LATEST"
"""


@pytest.fixture(name="emulator")
def _emulator():
    with Emulator(images={"httpd:2.4": HTTPD}, settings=SETTINGS) as emulator:
        yield emulator


def load_balancer(emulator, port):
    """Steps 1 and 5: the listener, and the two target groups."""
    elbv2 = emulator.client("elbv2")
    balancer = elbv2.create_load_balancer(
        Name="bluegreen-alb", Subnets=list(emulator.subnets[:2])
    )["LoadBalancers"][0]["LoadBalancerArn"]
    groups = [
        elbv2.create_target_group(
            Name=name, Protocol="HTTP", Port=80, TargetType="ip", VpcId=emulator.vpc
        )["TargetGroups"][0]["TargetGroupArn"]
        for name in ("bluegreentarget1", "bluegreentarget2")
    ]
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=port,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": groups[0]}],
    )["Listeners"][0]["ListenerArn"]
    return listener, groups


def task_definition(ecs):
    """Step 3: the tutorial's task definition, unchanged."""
    made = ecs.register_task_definition(
        family="tutorial-task-def",
        executionRoleArn="arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
        networkMode="awsvpc",
        containerDefinitions=[
            {
                "name": "sample-app",
                "image": "httpd:2.4",
                "portMappings": [
                    {"containerPort": 80, "hostPort": 80, "protocol": "tcp"}
                ],
                "essential": True,
                "entryPoint": ["sh", "-c"],
                "command": [COMMAND],
            }
        ],
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
    )
    return made["taskDefinition"]["taskDefinitionArn"]


def service(emulator, ecs, group):
    """Step 4: the service."""
    ecs.create_cluster(clusterName="tutorial-bluegreen-cluster")
    ecs.create_service(
        cluster="tutorial-bluegreen-cluster",
        serviceName="service-bluegreen",
        taskDefinition="tutorial-task-def",
        loadBalancers=[
            {
                "targetGroupArn": group,
                "containerName": "sample-app",
                "containerPort": 80,
            }
        ],
        launchType="FARGATE",
        schedulingStrategy="REPLICA",
        deploymentController={"type": "CODE_DEPLOY"},
        platformVersion="LATEST",
        networkConfiguration={
            "awsvpcConfiguration": {
                "assignPublicIp": "ENABLED",
                "securityGroups": ["sg-abcd1234"],
                "subnets": list(emulator.subnets[:2]),
            }
        },
        desiredCount=1,
    )


def deployment_group(codedeploy, listener):
    """Step 5: the application and the deployment group."""
    codedeploy.create_application(
        applicationName="tutorial-bluegreen-app", computePlatform="ECS"
    )
    groups = [{"name": "bluegreentarget1"}, {"name": "bluegreentarget2"}]
    codedeploy.create_deployment_group(
        applicationName="tutorial-bluegreen-app",
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]},
        blueGreenDeploymentConfiguration={
            "deploymentReadyOption": {
                "actionOnTimeout": "CONTINUE_DEPLOYMENT",
                "waitTimeInMinutes": 0,
            },
            "terminateBlueInstancesOnDeploymentSuccess": {
                "action": "TERMINATE",
                "terminationWaitTimeInMinutes": 5,
            },
        },
        deploymentGroupName="tutorial-bluegreen-dg",
        deploymentStyle={
            "deploymentOption": "WITH_TRAFFIC_CONTROL",
            "deploymentType": "BLUE_GREEN",
        },
        loadBalancerInfo={
            "targetGroupPairInfoList": [
                {
                    "targetGroups": groups,
                    "prodTrafficRoute": {"listenerArns": [listener]},
                }
            ]
        },
        serviceRoleArn="arn:aws:iam::123456789012:role/ecsCodeDeployRole",
        ecsServices=[
            {
                "serviceName": "service-bluegreen",
                "clusterName": "tutorial-bluegreen-cluster",
            }
        ],
    )


def deploy(emulator, codedeploy, definition):
    """Step 6: the AppSpec in a bucket, and the deployment."""
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="tutorial-bluegreen-bucket")
    s3.put_object(
        Bucket="tutorial-bluegreen-bucket",
        Key="appspec.yaml",
        Body=APPSPEC.format(task_definition=definition).encode(),
    )
    return codedeploy.create_deployment(
        applicationName="tutorial-bluegreen-app",
        deploymentGroupName="tutorial-bluegreen-dg",
        revision={
            "revisionType": "S3",
            "s3Location": {
                "bucket": "tutorial-bluegreen-bucket",
                "key": "appspec.yaml",
                "bundleType": "YAML",
            },
        },
    )["deploymentId"]


def test_tutorial(emulator):
    """A plain image command serves traffic, and the deployment replaces its tasks."""
    ecs, codedeploy = emulator.client("ecs"), emulator.client("codedeploy")
    port = free_port()
    listener, groups = load_balancer(emulator, port)
    definition = task_definition(ecs)
    service(emulator, ecs, groups[0])
    deployment_group(codedeploy, listener)

    deployment = deploy(emulator, codedeploy, definition)
    target = {
        "deploymentId": deployment,
        "targetId": "tutorial-bluegreen-cluster:service-bluegreen",
    }

    def events():
        found = codedeploy.get_deployment_target(**target)["deploymentTarget"]
        events = found["ecsTarget"]["lifecycleEvents"]
        return {each["lifecycleEventName"]: each["status"] for each in events}

    created = {"deploymentId": deployment}
    wait_for(
        lambda: (
            codedeploy.get_deployment(**created)["deploymentInfo"]["status"]
            == "InProgress"
        )
    )
    wait_for(lambda: events().get("AfterAllowTraffic") == "Succeeded")
    assert "It works!" == fetch(port)
    forwards = emulator.client("elbv2").describe_listeners(ListenerArns=[listener])
    (action,) = forwards["Listeners"][0]["DefaultActions"]
    weights = {
        each["TargetGroupArn"]: each["Weight"]
        for each in action["ForwardConfig"]["TargetGroups"]
    }
    assert 1 <= weights[groups[1]]
    assert 0 == weights.get(groups[0], 0)
