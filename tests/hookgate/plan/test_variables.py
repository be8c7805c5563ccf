"""What placeholders stand for in a deployment."""

from __future__ import annotations

import dataclasses

import pytest
from support.coded import raises

from hookgate.codes import Code
from hookgate.context import (
    AppSpec,
    Container,
    DeploymentContext,
    DeploymentInfo,
    Endpoint,
    Image,
    Side,
    TargetGroup,
    TaskDefinition,
    TaskSet,
)
from hookgate.errors import CannotMeasure
from hookgate.model import LifecycleEvent
from hookgate.plan import Variables, placeholders

EVENT = LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC


def side(color: str) -> Side:
    """Blue or green, with a task set."""
    return Side(
        target_group=TargetGroup(
            arn=f"arn:{color}", name=color, protocol="HTTP", port=80
        ),
        task_set=TaskSet(
            id=f"ecs-svc/{color}",
            arn=f"arn:task-set/{color}",
            task_definition_arn=f"arn:task-definition/{color}",
            status="ACTIVE",
        ),
    )


CONTEXT = DeploymentContext(
    event=EVENT,
    deployment=DeploymentInfo(
        id="d-1",
        application="shop",
        group="prod",
        configuration="AllAtOnce",
        cluster="c",
        service="s",
        region="eu-west-1",
        account="1",
    ),
    blue=side("blue"),
    green=side("green"),
    appspec=AppSpec(
        task_definition="arn:td:7", container_name="web", container_port=80
    ),
    task_definition=TaskDefinition(
        arn="arn:td:7",
        family="shop",
        revision=7,
        containers=(
            Container(
                name="web",
                image=Image(
                    name="repo/shop:v2@sha256:ab",
                    repository="repo/shop",
                    tag="v2",
                    digest="sha256:ab",
                ),
                environment={"RELEASE": "r2"},
                labels={"com.example/team": "checkout"},
            ),
        ),
    ),
    test=Endpoint(scheme="http", address="lb", port=9001),
    production=Endpoint(scheme="https", address="lb", port=443),
)
BARE = DeploymentContext(event=EVENT)
EXPECTED = {
    "event": "AfterAllowTestTraffic",
    "deployment.id": "d-1",
    "deployment.application": "shop",
    "deployment.group": "prod",
    "deployment.configuration": "AllAtOnce",
    "green.image.name": "repo/shop:v2@sha256:ab",
    "green.image.repository": "repo/shop",
    "green.image.tag": "v2",
    "green.image.digest": "sha256:ab",
    "green.task_definition.family": "shop",
    "green.task_definition.revision": "7",
    "green.task_definition.arn": "arn:td:7",
    "green.task_set.id": "ecs-svc/green",
    "blue.task_set.id": "ecs-svc/blue",
    "blue.task_definition.arn": "arn:task-definition/blue",
    "test.url": "http://lb:9001",
    "production.url": "https://lb:443",
    "green.env.RELEASE": "r2",
    "green.label.com.example/team": "checkout",
    "secret.token": "<token>",
}


def value(name: str, context: DeploymentContext = CONTEXT) -> str:
    """What a placeholder stands for."""
    secrets = "<{}>".format
    return Variables(context, secrets).substitute(f"${{{name}}}")


@pytest.mark.parametrize(("name", "expected"), EXPECTED.items())
def test_value(name: str, expected: str):
    """Each placeholder has its value."""
    assert expected == value(name)


def test_every_name_has_a_value():
    """No name that a plan may use is forgotten."""
    assert set(placeholders.FIXED) <= set(EXPECTED)


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - {"event", "secret.token"}))
def test_nothing_is_known_without_a_deployment(name: str):
    """Without a deployment the message says which value is missing."""
    with raises(CannotMeasure, Code.PLACEHOLDER_VALUE, f"${{{name}}}"):
        value(name, BARE)


def test_reason_without_a_deployment():
    """Against a bare URL there is no deployment to ask about."""
    with raises(CannotMeasure, Code.PLACEHOLDER_VALUE):
        value("green.image.tag", BARE)


@pytest.mark.parametrize(
    ("name", "missing"),
    [("green.env.HOME", "variable HOME"), ("green.label.team", "label team")],
)
def test_reason_of_a_name_that_the_service_lacks(name: str, missing: str):
    """The message names the container and what it lacks."""
    with raises(CannotMeasure, Code.PLACEHOLDER_VALUE, "web", missing):
        value(name)


@pytest.mark.parametrize(
    ("name", "change", "missing"),
    [
        ("test.url", {"test": None}, "test listener"),
        ("green.task_set.id", {"green": None}, "replacement"),
        ("blue.task_set.id", {"blue": None}, "first deployment"),
        ("green.image.tag", {"task_definition": None}, "task definition"),
        ("green.image.tag", {"appspec": None}, "container named none"),
    ],
)
def test_reason_of_what_a_deployment_lacks(
    name: str, change: dict[str, None], missing: str
):
    """The message says what this deployment has not."""
    with raises(CannotMeasure, Code.PLACEHOLDER_VALUE, f"${{{name}}}", missing):
        value(name, dataclasses.replace(CONTEXT, **change))


def test_image_without_tag():
    """An image by digest has no tag, and the message names the image."""
    task_definition = TaskDefinition(
        arn="a",
        family="f",
        revision=1,
        containers=(Container(name="web", image=Image(name="x@y", repository="x")),),
    )
    context = dataclasses.replace(CONTEXT, task_definition=task_definition)
    with raises(CannotMeasure, Code.PLACEHOLDER_VALUE):
        value("green.image.tag", context)


def test_given_value_goes_first():
    """A value given by hand stands for what the context does not tell."""
    variables = Variables(BARE, str, given={"green.image.tag": "v3"})
    assert "v3" == variables.substitute("${green.image.tag}")


def test_given_value_stands_for_no_secret():
    """A secret comes from where it is masked, whatever else is given by its name."""
    variables = Variables(BARE, str.upper, given={"secret.token": "clear"})
    assert "TOKEN" == variables.substitute("${secret.token}")


def test_secret_that_is_not_named_is_not_asked_for():
    """Only what a text names is looked up."""

    def refuse(name: str) -> str:
        raise AssertionError(name)

    assert "d-1" == Variables(CONTEXT, refuse).substitute("${deployment.id}")
