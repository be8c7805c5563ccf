"""Which deployment an id stands for, and whether this hook is the one that is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hookgate.context import Deployment
from hookgate.errors import CannotMeasure
from hookgate.event import HookEvent
from hookgate.model import LifecycleEvent
from hookgate.validator import Aws

_OVER = frozenset({"Succeeded", "Failed", "Stopped"})
_ENDED = frozenset({"Succeeded", "Failed", "Skipped"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The traffic route of a deployment group, in CodeDeploy's own names."""

    target_groups: tuple[str, ...]
    production: str
    test: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """A deployment, with what else its id led to on the way."""

    deployment: Deployment
    revision: Mapping[str, Any]
    route: Route


def identify(aws: Aws, hook: HookEvent, event: LifecycleEvent) -> Identified:
    """Find the deployment of a hook event.

    Raises:
        CannotMeasure: there is none, it is over, it is no ECS deployment, or CodeDeploy
            is waiting for another lifecycle event than ``event``.
    """
    id_ = hook.deployment_id
    info = aws("codedeploy", "get_deployment", deploymentId=id_)["deploymentInfo"]
    if info.get("computePlatform") != "ECS":
        raise CannotMeasure(
            f"{id_} deploys to {info.get('computePlatform')}, not to ECS"
        )
    if info.get("status") in _OVER:
        raise CannotMeasure(f"{id_} is already {info['status']}; no hook can change it")
    application, name = info["applicationName"], info["deploymentGroupName"]
    group = aws(
        "codedeploy",
        "get_deployment_group",
        applicationName=application,
        deploymentGroupName=name,
    )["deploymentGroupInfo"]
    services = group.get("ecsServices")
    if not services:
        raise CannotMeasure(f"deployment group {name} names no ECS service")
    cluster, service = services[0]["clusterName"], services[0]["serviceName"]
    # GetDeployment's own copy is modelled, but not every answer carries it.
    route = _route(info.get("loadBalancerInfo") or group.get("loadBalancerInfo"), name)
    deployment = Deployment(
        id=id_,
        application=application,
        group=name,
        configuration=info.get("deploymentConfigName", ""),
        cluster=cluster,
        service=service,
        region=_arn_part(route.production, 3),
        account=_arn_part(route.production, 4),
        event_started_at=_started(aws, id_, f"{cluster}:{service}", event),
    )
    return Identified(deployment=deployment, revision=info["revision"], route=route)


def _route(given: Mapping[str, Any] | None, group: str) -> Route:
    pairs = (given or {}).get("targetGroupPairInfoList")
    if not pairs:
        raise CannotMeasure(f"deployment group {group} has no pair of target groups")
    pair = pairs[0]
    production = pair.get("prodTrafficRoute", {}).get("listenerArns")
    test = pair.get("testTrafficRoute", {}).get("listenerArns")
    if not production:
        raise CannotMeasure(f"deployment group {group} has no production listener")
    return Route(
        target_groups=tuple(each["name"] for each in pair["targetGroups"]),
        production=production[0],
        test=test[0] if test else None,
    )


def _started(aws: Aws, id_: str, target: str, event: LifecycleEvent) -> Any:
    """When the event began, from the target's lifecycle events.

    The payload does not say for which event the function was called, so a function
    that the AppSpec names at the wrong event is only found here.
    """
    answer = aws(
        "codedeploy", "get_deployment_target", deploymentId=id_, targetId=target
    )
    events = answer["deploymentTarget"].get("ecsTarget", {}).get("lifecycleEvents", ())
    by_name = {each["lifecycleEventName"]: each for each in events}
    due = [name for name, each in by_name.items() if each.get("status") == "InProgress"]
    ours = by_name.get(str(event), {})
    if ours.get("status") in _ENDED:
        raise CannotMeasure(f"{event} of {id_} has already ended as {ours['status']}")
    if due and str(event) not in due:
        raise CannotMeasure(
            f"CodeDeploy is at {due[0]}, but this is the function for {event}: name "
            f"the function for {due[0]} at {due[0]} in the AppSpec's Hooks"
        )
    return ours.get("startTime")


def _arn_part(arn: str, index: int) -> str:
    parts = arn.split(":")
    return parts[index] if len(parts) > index else ""
