"""The AppSpec of an ECS deployment, in YAML or JSON, read as users write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from yaml.events import AliasEvent
from yaml.nodes import Node

from rehearsal.codedeploy.model.order import AppSpec
from rehearsal.codedeploy.model.vocabulary import EventName

MAX_BYTES = 256 * 1024  # more than any AppSpec needs, and a bound


class AppSpecError(ValueError):
    """The AppSpec cannot be deployed; the message says what is wrong with it."""


class _WithoutAliases(yaml.SafeLoader):
    """Refuses aliases: a short file of them can stand for a huge one."""

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        if self.check_event(AliasEvent):
            raise AppSpecError("the AppSpec uses a YAML alias; write the value out")
        return super().compose_node(parent, index)


def parse_app_spec(content: str) -> AppSpec:
    """Read an AppSpec.

    The keys' case does not matter, since users' files and AWS's own examples differ.

    Args:
        content: YAML or JSON, which YAML includes.

    Raises:
        AppSpecError: It is malformed or lacks what an ECS deployment needs.
    """
    document = _lowered(_loaded(content))
    service = _target_service(document)
    if service.get("type") != "AWS::ECS::Service":
        raise AppSpecError("Resources[0].TargetService.Type must be AWS::ECS::Service")
    properties = _mapping(service.get("properties"), "TargetService.Properties")
    balancer = _mapping(properties.get("loadbalancerinfo"), "LoadBalancerInfo")
    try:
        port = int(balancer["containerport"])
    except (KeyError, TypeError, ValueError):
        raise AppSpecError("LoadBalancerInfo.ContainerPort must be a number") from None
    return AppSpec(
        task_definition=_text(properties, "taskdefinition", "TaskDefinition"),
        container_name=_text(balancer, "containername", "ContainerName"),
        container_port=port,
        hooks=_hooks(document.get("hooks")),
        task_set_options=_task_set_options(properties),
    )


def _loaded(content: str) -> Mapping[str, Any]:
    if len(content) > MAX_BYTES:
        raise AppSpecError(f"the AppSpec is longer than {MAX_BYTES} characters")
    try:
        document = yaml.load(content, Loader=_WithoutAliases)  # noqa: S506 - a SafeLoader
    except AppSpecError:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise AppSpecError(f"the AppSpec is neither YAML nor JSON: {reason}") from error
    return _mapping(document, "the AppSpec")


def _lowered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key).lower(): _lowered(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_lowered(item) for item in value]
    return value


def _target_service(document: Mapping[str, Any]) -> Mapping[str, Any]:
    resources = document.get("resources")
    if not isinstance(resources, list) or len(resources) != 1:
        raise AppSpecError("Resources must be a list of exactly one TargetService")
    resource = _mapping(resources[0], "Resources[0]")
    if len(resource) != 1:
        raise AppSpecError("Resources[0] must hold exactly one TargetService")
    (service,) = resource.values()
    return _mapping(service, "Resources[0].TargetService")


def _hooks(hooks: Any) -> Mapping[EventName, str]:
    if hooks is None:
        return {}
    if not isinstance(hooks, list):
        raise AppSpecError("Hooks must be a list such as [{BeforeInstall: function}]")
    by_name = {name.lower(): name for name in EventName if name.is_hook}
    found: dict[EventName, str] = {}
    for entry in hooks:
        for key, function in _mapping(entry, "an entry of Hooks").items():
            if key not in by_name:
                known = ", ".join(by_name.values())
                raise AppSpecError(f"Hooks has no event {key!r}; it has {known}")
            if not isinstance(function, str) or not function:
                raise AppSpecError(f"the hook {by_name[key]} names no function")
            found[by_name[key]] = function
    return found


def _task_set_options(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """What CreateTaskSet takes over from the AppSpec, by its own member names."""
    options: dict[str, Any] = {}
    if properties.get("platformversion"):
        options["platformVersion"] = str(properties["platformversion"])
    network = properties.get("networkconfiguration")
    if network is not None:
        vpc = _mapping(
            _mapping(network, "NetworkConfiguration").get("awsvpcconfiguration"),
            "NetworkConfiguration.AwsvpcConfiguration",
        )
        options["networkConfiguration"] = {
            "awsvpcConfiguration": {
                "subnets": list(vpc.get("subnets") or []),
                "securityGroups": list(vpc.get("securitygroups") or []),
                "assignPublicIp": vpc.get("assignpublicip") or "DISABLED",
            }
        }
    strategy = properties.get("capacityproviderstrategy")
    if strategy is not None:
        options["capacityProviderStrategy"] = [
            {
                "capacityProvider": item["capacityprovider"],
                "base": int(item.get("base", 0)),
                "weight": int(item.get("weight", 0)),
            }
            for item in strategy
        ]
    return options


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise AppSpecError(f"{what} must be a mapping")
    return value


def _text(mapping: Mapping[str, Any], key: str, name: str) -> str:
    value = mapping.get(key)
    if not isinstance(value, str) or not value:
        raise AppSpecError(f"{name} is missing or empty")
    return value
