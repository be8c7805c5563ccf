"""The AppSpec of an ECS deployment, in YAML or JSON, read as users write it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import yaml
from yaml.events import AliasEvent
from yaml.nodes import Node

from rehearsal.codedeploy.appspec_values import AppSpecError, lowered, mapping, text
from rehearsal.codedeploy.model.order import AppSpec
from rehearsal.codedeploy.model.vocabulary import EventName
from rehearsal.codedeploy.task_set_options import task_set_options

MAX_BYTES = 256 * 1024  # more than any AppSpec needs, and a bound


class _WithoutAliases(yaml.SafeLoader):
    """Refuses aliases: a short file of them can stand for a huge one."""

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        if self.check_event(AliasEvent):
            raise AppSpecError("the AppSpec uses a YAML alias; write the value out")
        return super().compose_node(parent, index)


@lru_cache(maxsize=128)  # a revision is read at each of its deployments
def parse_app_spec(content: str) -> AppSpec:
    """Read an AppSpec.

    The keys' case does not matter, since users' files and AWS's own examples differ.

    Args:
        content: YAML or JSON, which YAML includes.

    Raises:
        AppSpecError: It is malformed or lacks what an ECS deployment needs.
    """
    document = lowered(_loaded(content))
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
    return AppSpec(
        task_definition=text(properties, "taskdefinition", "TaskDefinition"),
        container_name=text(balancer, "containername", "ContainerName"),
        container_port=port,
        hooks=_hooks(document.get("hooks")),
        task_set_options=task_set_options(properties),
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
    return mapping(document, "the AppSpec")


def _target_service(document: Mapping[str, Any]) -> Mapping[str, Any]:
    resources = document.get("resources")
    if not isinstance(resources, list) or len(resources) != 1:
        raise AppSpecError("Resources must be a list of exactly one TargetService")
    resource = mapping(resources[0], "Resources[0]")
    if len(resource) != 1:
        raise AppSpecError("Resources[0] must hold exactly one TargetService")
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
