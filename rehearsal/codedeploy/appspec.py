"""Read the AppSpec of an ECS deployment, in YAML or JSON."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hookgate.aws.appspec import STRICT, lowered
from hookgate.errors import PlanError
from hookgate.yaml_reader import load
from hookgate_rehearsal.codedeploy.model.deployment import EventName, ParsedAppSpec


class AppSpecError(ValueError):
    """The AppSpec cannot be deployed; the message says what is wrong with it."""


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """Require a mapping.

    Raises:
        AppSpecError: It has another type.
    """
    if not isinstance(value, Mapping):
        raise AppSpecError(f"{what} must be a mapping")
    return value


def text(given: Mapping[str, Any], key: str, name: str) -> str:
    """Require a text.

    Raises:
        AppSpecError: It is missing, empty or has another type.
    """
    value = given.get(key)
    if not isinstance(value, str) or not value:
        raise AppSpecError(f"{name} is missing or empty")
    return value


def texts(given: Mapping[str, Any], key: str, name: str) -> list[str]:
    """Require a list of texts, which may be empty.

    Raises:
        AppSpecError: It is missing or has another type.
    """
    value = given.get(key)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise AppSpecError(f"{name} must be a list of texts")
    return value


def number(given: Mapping[str, Any], key: str, name: str) -> int:
    """Get a whole number, 0 or more; 0 if it is missing.

    Raises:
        AppSpecError: It has another type.
    """
    value = given.get(key, 0)
    try:
        found = int(value)
    except (TypeError, ValueError):
        found = -1
    if found < 0:
        raise AppSpecError(f"{name} must be a whole number from 0 on, not {value!r}")
    return found


MOST_PROVIDERS = 20  # of a strategy, by ECS's model


def task_set_options(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options in an AppSpec's properties, whose keys are in lower case.

    Raises:
        AppSpecError: One of them is wrong.
    """
    options: dict[str, Any] = {}
    if properties.get("platformversion") is not None:
        version = text(properties, "platformversion", "PlatformVersion")
        options["platformVersion"] = version
    network = properties.get("networkconfiguration")
    if network is not None:
        options["networkConfiguration"] = _network(network)
    strategy = properties.get("capacityproviderstrategy")
    if strategy is not None:
        options["capacityProviderStrategy"] = _strategy(strategy)
    return options


def _network(network: Any) -> dict[str, Any]:
    """All three of its properties or none; the guide calls each of them required."""
    given = mapping(network, "NetworkConfiguration").get("awsvpcconfiguration")
    vpc = mapping(given, "NetworkConfiguration.AwsvpcConfiguration")
    public = vpc.get("assignpublicip")
    if public not in {"ENABLED", "DISABLED"}:
        raise AppSpecError(f"AssignPublicIp must be ENABLED or DISABLED, not {public}")
    return {
        "awsvpcConfiguration": {
            "subnets": texts(vpc, "subnets", "Subnets"),
            "securityGroups": texts(vpc, "securitygroups", "SecurityGroups"),
            "assignPublicIp": public,
        }
    }


def _strategy(strategy: Any) -> list[dict[str, Any]]:
    if not isinstance(strategy, list) or not 0 < len(strategy) <= MOST_PROVIDERS:
        message = f"CapacityProviderStrategy is a list of 1 to {MOST_PROVIDERS}"
        raise AppSpecError(message)
    items = [mapping(each, "an entry of CapacityProviderStrategy") for each in strategy]
    found: list[dict[str, Any]] = [
        {
            "capacityProvider": text(each, "capacityprovider", "CapacityProvider"),
            "base": number(each, "base", "Base"),
            "weight": number(each, "weight", "Weight"),
        }
        for each in items
    ]
    if sum(each["base"] > 0 for each in found) > 1:
        raise AppSpecError("at most one entry of CapacityProviderStrategy has a Base")
    if not any(each["weight"] for each in found):
        raise AppSpecError("an entry of CapacityProviderStrategy needs a Weight over 0")
    return found


@lru_cache(maxsize=128)  # a revision is read at each of its deployments
def parse_app_spec(content: str) -> ParsedAppSpec:
    """Read an AppSpec.

    The keys' case does not matter, since users' files and AWS's own examples differ.

    Args:
        content: YAML or JSON, which YAML includes.

    Raises:
        AppSpecError: It is malformed or lacks what an ECS deployment needs.
    """
    try:
        document = lowered(load(content, "AppSpec", STRICT).data)
    except PlanError as error:
        raise AppSpecError(f"the AppSpec cannot be read: {error.problems[0]}") from None
    if str(document.get("version")) not in {"0.0", "0"}:
        raise AppSpecError("the AppSpec's version must be 0.0")
    service = _target_service(document)
    if service.get("type") != "AWS::ECS::Service":
        raise AppSpecError("Resources[0].TargetService.Type must be AWS::ECS::Service")
    properties = mapping(service.get("properties"), "TargetService.Properties")
    balancer = mapping(properties.get("loadbalancerinfo"), "LoadBalancerInfo")
    try:
        port = int(balancer["containerport"])
    except (KeyError, TypeError, ValueError):
        raise AppSpecError("LoadBalancerInfo.ContainerPort must be a number") from None
    return ParsedAppSpec(
        task_definition=text(properties, "taskdefinition", "TaskDefinition"),
        container_name=text(balancer, "containername", "ContainerName"),
        container_port=port,
        hooks=_hooks(document.get("hooks")),
        task_set_options=task_set_options(properties),
    )


def _target_service(document: Mapping[str, Any]) -> Mapping[str, Any]:
    resources = document.get("resources")
    if not isinstance(resources, list) or len(resources) != 1:
        raise AppSpecError("Resources must be a list of exactly one TargetService")
    resource = mapping(resources[0], "Resources[0]")
    if len(resource) != 1:
        raise AppSpecError("Resources[0] must have exactly one TargetService")
    (service,) = resource.values()
    return mapping(service, "Resources[0].TargetService")


def _hooks(hooks: Any) -> Mapping[EventName, str]:
    if hooks is None:
        return {}
    if not isinstance(hooks, list):
        raise AppSpecError("Hooks must be a list such as [{BeforeInstall: function}]")
    by_name = {name.lower(): name for name in EventName if name.is_hook}
    found: dict[EventName, str] = {}
    for entry in hooks:
        for key, function in mapping(entry, "an entry of Hooks").items():
            if key not in by_name:
                known = ", ".join(by_name.values())
                raise AppSpecError(f"Hooks has no event {key!r}; it has {known}")
            if by_name[key] in found:
                raise AppSpecError(f"Hooks names {by_name[key]} twice")
            if not isinstance(function, str) or not function:
                raise AppSpecError(f"the hook {by_name[key]} names no function")
            found[by_name[key]] = function
    return found
