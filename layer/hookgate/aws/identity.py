"""Identify the deployment of an event, and check that CodeDeploy waits for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hookgate.aws.calls import error_code
from hookgate.codes import Code
from hookgate.context import Deployment
from hookgate.deadline import Clock, SystemClock
from hookgate.errors import CannotMeasure
from hookgate.event import HookEvent
from hookgate.model import LifecycleEvent
from hookgate.validator import Aws

_OVER = frozenset({"Succeeded", "Failed", "Stopped"})
_ENDED = frozenset({"Succeeded", "Failed", "Skipped"})
# GetDeploymentTarget returns these errors before CodeDeploy works on the target.
_NOT_BEGUN = frozenset(
    {"DeploymentNotStartedException", "DeploymentTargetDoesNotExistException"}
)
#: Calls for the target's events, whose statuses can lag, and seconds between them.
CALLS = 4
PAUSE = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The traffic route of a deployment group: target group names and ARNs."""

    target_groups: tuple[str, ...]
    production: str
    test: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """A deployment with its revision and traffic route."""

    deployment: Deployment
    revision: Mapping[str, Any]
    route: Route


def identify(
    aws: Aws, hook: HookEvent, event: LifecycleEvent, clock: Clock | None = None
) -> Identified:
    """Identify the deployment of a hook event.

    Args:
        aws: the calls.
        hook: has the deployment's id.
        event: the lifecycle event of the function.
        clock: paces the calls while CodeDeploy seems to be at another event.

    Raises:
        CannotMeasure: it does not exist, has ended or is not an ECS deployment, or
            CodeDeploy waits for another lifecycle event.
    """
    id_ = hook.deployment_id
    info = aws("codedeploy", "get_deployment", deploymentId=id_)["deploymentInfo"]
    if info.get("computePlatform") != "ECS":
        raise CannotMeasure(
            f"{id_} deploys to {info.get('computePlatform')}, not to ECS",
            code=Code.DISCOVERY_PLATFORM,
        )
    if info.get("status") in _OVER:
        raise CannotMeasure(
            f"{id_} has already ended as {info['status']}; no hook can change it",
            code=Code.DEPLOYMENT_OVER,
        )
    application, name = info["applicationName"], info["deploymentGroupName"]
    group = aws(
        "codedeploy",
        "get_deployment_group",
        applicationName=application,
        deploymentGroupName=name,
    )["deploymentGroupInfo"]
    services = group.get("ecsServices")
    if not services:
        raise CannotMeasure(
            f"deployment group {name} has no ECS service", code=Code.DISCOVERY_SERVICE
        )
    cluster, service = services[0]["clusterName"], services[0]["serviceName"]
    # Not every GetDeployment response contains its copy.
    given = info.get("loadBalancerInfo", {})
    if not given.get("targetGroupPairInfoList"):
        given = group.get("loadBalancerInfo", {})
    route = _route(given, name)
    due = _Due(aws, id_, f"{cluster}:{service}", event, clock or SystemClock())
    deployment = Deployment(
        id=id_,
        application=application,
        group=name,
        configuration=info.get("deploymentConfigName", ""),
        cluster=cluster,
        service=service,
        region=_arn_part(route.production, 3),
        account=_arn_part(route.production, 4),
        event_started_at=due.started(),
    )
    return Identified(deployment=deployment, revision=info["revision"], route=route)


def _route(given: Mapping[str, Any], group: str) -> Route:
    pairs = given.get("targetGroupPairInfoList")
    if not pairs:
        raise CannotMeasure(
            f"deployment group {group} has no pair of target groups",
            code=Code.DISCOVERY_TARGET_GROUP,
        )
    pair = pairs[0]
    production = pair.get("prodTrafficRoute", {}).get("listenerArns")
    test = pair.get("testTrafficRoute", {}).get("listenerArns")
    if not production:
        raise CannotMeasure(
            f"deployment group {group} has no production listener",
            code=Code.DISCOVERY_LISTENER,
        )
    return Route(
        target_groups=tuple(each["name"] for each in pair["targetGroups"]),
        production=production[0],
        test=test[0] if test else None,
    )


def is_open(aws: Aws, deployment: Deployment, event: LifecycleEvent) -> bool:
    """Whether ``event`` has not ended, as far as CodeDeploy reports it.

    Raises:
        CannotMeasure: the status of the event cannot be read.
    """
    target = f"{deployment.cluster}:{deployment.service}"
    events = _events(aws, deployment.id, target, event)
    return _status(events, event) not in _ENDED


def ended_as(
    aws: Aws, deployment: Deployment, event: LifecycleEvent, clock: Clock | None = None
) -> str | None:
    """The status with which ``event`` ended, or None if it is not known.

    Args:
        aws: the calls.
        deployment: the deployment whose event it is.
        event: the lifecycle event, which is known to have ended.
        clock: paces the calls, since the status can lag.
    """
    target = f"{deployment.cluster}:{deployment.service}"
    for pause in (PAUSE,) * (CALLS - 1) + (0.0,):
        try:
            status = _status(_events(aws, deployment.id, target, event), event)
        except CannotMeasure:
            return None
        if status in _ENDED:
            return status
        (clock or SystemClock()).sleep(pause)
    return None


def _status(events: Sequence[Mapping[str, Any]], event: LifecycleEvent) -> str:
    """The status of ``event``; Pending while CodeDeploy does not list it."""
    named = (each for each in events if each["lifecycleEventName"] == str(event))
    return str(next(named, {}).get("status", "Pending"))


def _events(
    aws: Aws, id_: str, target: str, event: LifecycleEvent
) -> Sequence[Mapping[str, Any]]:
    """The lifecycle events of a deployment's target."""
    try:
        answer = aws(
            "codedeploy", "get_deployment_target", deploymentId=id_, targetId=target
        )
    except CannotMeasure as error:
        first = event is LifecycleEvent.BEFORE_INSTALL
        if first and error_code(error) in _NOT_BEGUN:
            return ()
        raise
    found = answer["deploymentTarget"].get("ecsTarget", {})
    return list(found.get("lifecycleEvents", ()))


@dataclass(frozen=True, slots=True)
class _Due:
    """Checks that CodeDeploy waits for ``event``.

    The payload does not name the event, so this is the only check that finds a function
    that the AppSpec names at the wrong event.
    """

    aws: Aws
    id: str
    target: str
    event: LifecycleEvent
    clock: Clock

    def started(self) -> Any:
        """When the event began, or None if it is not known."""
        ours, other = self._find()
        for _ in range(CALLS - 1):
            if not other:
                break
            self.clock.sleep(PAUSE)
            ours, other = self._find()
        if other:
            raise CannotMeasure(
                f"CodeDeploy is at {other}, but this is the function for {self.event}: "
                f"name the function for {other} at {other} in the AppSpec's Hooks",
                code=Code.HOOK_EVENT,
            )
        return ours.get("startTime")

    def _find(self) -> tuple[Mapping[str, Any], str]:
        """The event as CodeDeploy describes it, and the name of another in progress."""
        events = _events(self.aws, self.id, self.target, self.event)
        by_name = {each["lifecycleEventName"]: each for each in events}
        due = [n for n, each in by_name.items() if each.get("status") == "InProgress"]
        ours = by_name.get(str(self.event), {})
        if ours.get("status") in _ENDED:
            raise CannotMeasure(
                f"{self.event} of {self.id} has already ended as {ours['status']}",
                code=Code.DEPLOYMENT_OVER,
            )
        return ours, due[0] if due and str(self.event) not in due else ""


def _arn_part(arn: str, index: int) -> str:
    parts = arn.split(":")
    return parts[index] if len(parts) > index else ""
