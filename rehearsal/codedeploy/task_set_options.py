"""What CreateTaskSet takes over from an AppSpec, by its own member names.

Source: the AppSpec pages of AWS's CodeDeploy user guide, for ECS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.codedeploy.appspec_values import (
    AppSpecError,
    mapping,
    number,
    text,
    texts,
)

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
