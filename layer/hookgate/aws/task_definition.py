"""What ECS will run: the task definition, and image names taken apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hookgate.codes import Code
from hookgate.context import Container, Image, TaskDefinition, TaskSet
from hookgate.errors import CannotMeasure
from hookgate.validator import Aws

# A tag follows the last colon behind the last slash: a registry may carry a port.
_IMAGE = re.compile(
    r"(?P<repository>(?:[^/@]+/)*[^/:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?"
)


def parse_image(name: str) -> Image:
    """Take an image's name apart: repository, tag and digest.

    The grammar is that of the OCI distribution specification's references.
    """
    match = _IMAGE.fullmatch(name)
    if not match:
        return Image(name=name, repository=name)
    return Image(name=name, **match.groupdict())


def fetch_task_definition(aws: Aws, name: str) -> TaskDefinition:
    """The task definition of that ARN, or family and revision."""
    answer = aws("ecs", "describe_task_definition", taskDefinition=name)
    given = answer["taskDefinition"]
    return TaskDefinition(
        arn=given["taskDefinitionArn"],
        family=given["family"],
        revision=int(given["revision"]),
        containers=tuple(_container(each) for each in given["containerDefinitions"]),
    )


def _container(given: Mapping[str, Any]) -> Container:
    return Container(
        name=given["name"],
        image=parse_image(given["image"]),
        ports=tuple(
            int(each["containerPort"])
            for each in given.get("portMappings", ())
            if each.get("containerPort")
        ),
        environment={e["name"]: e["value"] for e in given.get("environment", ())},
        labels=dict(given.get("dockerLabels", {})),
    )


def fetch_task_sets(aws: Aws, cluster: str, service: str) -> list[Mapping[str, Any]]:
    """The task sets of a service, as ECS describes them.

    Raises:
        CannotMeasure: there is no such service.
    """
    answer = aws("ecs", "describe_services", cluster=cluster, services=[service])
    if not answer.get("services"):
        raise CannotMeasure(
            f"ECS knows no service {service} in cluster {cluster}",
            code=Code.DISCOVERY_SERVICE,
        )
    return list(answer["services"][0].get("taskSets", ()))


def parse_task_set(given: Mapping[str, Any]) -> TaskSet:
    """A task set, from ECS's own description."""
    return TaskSet(
        id=given["id"],
        arn=given["taskSetArn"],
        task_definition_arn=given["taskDefinition"],
        status=given["status"],
        desired_count=given.get("computedDesiredCount", 0),
        running_count=given.get("runningCount", 0),
        pending_count=given.get("pendingCount", 0),
    )
