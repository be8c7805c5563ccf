"""CodeDeploy: the deployment of a hook, the status of its event, and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hookgate.aws.calls import error_code, iam_action
from hookgate.codes import Code
from hookgate.context import Aws, DeploymentInfo, HookEvent
from hookgate.deadline import Clock
from hookgate.errors import CannotMeasure, ReportError
from hookgate.model import HookStatus, LifecycleEvent

_OVER = frozenset({"Succeeded", "Failed", "Stopped"})
_ENDED = frozenset({"Succeeded", "Failed", "Skipped"})
# GetDeploymentTarget returns these errors before CodeDeploy works on the target.
_NOT_BEGUN = frozenset(
    {"DeploymentNotStartedException", "DeploymentTargetDoesNotExistException"}
)
#: Seconds before each call for the target's events, whose statuses can lag.
PAUSES = (0.0, 1.5, 1.5, 1.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDeployment:
    """A deployment with its revision and traffic route.

    The route has the names of the target groups, and the ARNs of the production and the
    test listener or of their rules.
    """

    deployment: DeploymentInfo
    revision: Mapping[str, Any]
    target_groups: tuple[str, ...]
    production: str
    test: str | None


def find_deployment(
    aws: Aws, hook: HookEvent, event: LifecycleEvent, clock: Clock
) -> FoundDeployment:
    """Find the deployment of a hook event.

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
    # Not every GetDeployment response contains its copy.
    pairs = _pairs(info) or _pairs(group)
    if not pairs:
        raise CannotMeasure(
            f"deployment group {name} has no pair of target groups",
            code=Code.DISCOVERY_TARGET_GROUP,
        )
    production = pairs[0].get("prodTrafficRoute", {}).get("listenerArns")
    test = pairs[0].get("testTrafficRoute", {}).get("listenerArns")
    if not production:
        raise CannotMeasure(
            f"deployment group {name} has no production listener",
            code=Code.DISCOVERY_LISTENER,
        )
    _, _, _, region, account, *_ = f"{production[0]}:::::".split(":")
    deployment = DeploymentInfo(
        id=id_,
        application=application,
        group=name,
        configuration=info.get("deploymentConfigName", ""),
        cluster=services[0]["clusterName"],
        service=services[0]["serviceName"],
        region=region,
        account=account,
    )
    started = _event_start(aws, deployment, event, clock)
    return FoundDeployment(
        deployment=replace(deployment, event_started_at=started),
        revision=info["revision"],
        target_groups=tuple(each["name"] for each in pairs[0]["targetGroups"]),
        production=production[0],
        test=test[0] if test else None,
    )


def _pairs(given: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return list(given.get("loadBalancerInfo", {}).get("targetGroupPairInfoList", ()))


def _event_start(
    aws: Aws, deployment: DeploymentInfo, event: LifecycleEvent, clock: Clock
) -> datetime | None:
    """When ``event`` began, or None if it is not known.

    The payload does not name the event, so this is the only check that finds a function
    that the AppSpec names at the wrong event.
    """
    running: list[str] = []
    for pause in PAUSES:
        clock.sleep(pause)
        events = _events(aws, deployment, event)
        status = _status(events, event)
        if status in _ENDED:
            raise CannotMeasure(
                f"{event} of {deployment.id} has already ended as {status}",
                code=Code.DEPLOYMENT_OVER,
            )
        running = [name for name in events if _status(events, name) == "InProgress"]
        if not running or str(event) in running:
            return events.get(event, {}).get("startTime")
    raise CannotMeasure(
        f"CodeDeploy is at {running[0]}, but this is the function for {event}: name "
        f"the function for {running[0]} at {running[0]} in the AppSpec's Hooks",
        code=Code.HOOK_EVENT,
    )


def is_open(aws: Aws, deployment: DeploymentInfo, event: LifecycleEvent) -> bool:
    """Whether ``event`` has not ended, as far as CodeDeploy reports it.

    Raises:
        CannotMeasure: the status of the event cannot be read.
    """
    return _status(_events(aws, deployment, event), event) not in _ENDED


def ended_as(
    aws: Aws, deployment: DeploymentInfo, event: LifecycleEvent, clock: Clock
) -> str | None:
    """The status with which ``event`` ended, or None if it is not known.

    Args:
        aws: the calls.
        deployment: the deployment whose event it is.
        event: the lifecycle event, which is known to have ended.
        clock: paces the calls, since the status can lag.
    """
    for pause in PAUSES:
        clock.sleep(pause)
        try:
            status = _status(_events(aws, deployment, event), event)
        except CannotMeasure:
            return None
        if status in _ENDED:
            return status
    return None


def _status(events: Mapping[str, Mapping[str, Any]], name: str) -> str:
    """The status of an event; Pending while CodeDeploy does not list it."""
    return str(events.get(name, {}).get("status", "Pending"))


def _events(
    aws: Aws, deployment: DeploymentInfo, event: LifecycleEvent
) -> dict[str, Mapping[str, Any]]:
    """The lifecycle events of a deployment's target, by name."""
    target = f"{deployment.cluster}:{deployment.service}"
    try:
        response = aws(
            "codedeploy",
            "get_deployment_target",
            deploymentId=deployment.id,
            targetId=target,
        )
    except CannotMeasure as error:
        first = event is LifecycleEvent.BEFORE_INSTALL
        if first and error_code(error) in _NOT_BEGUN:
            return {}
        raise
    found = response["deploymentTarget"].get("ecsTarget", {}).get("lifecycleEvents", ())
    return {each["lifecycleEventName"]: each for each in found}


#: Seconds for the check before the report whether the lifecycle event has ended.
CHECK = 2.0
#: Seconds reserved for that and for the report: botocore's standard mode pauses at most
#: 1, 2 and 4 seconds between the attempts of ``AwsCalls``, so a report takes at most
#: 4 x 3 + 7 = 19.
RESERVE = 20.0 + CHECK

_DONE = "LifecycleEventAlreadyCompletedException"
_MEANING = {
    "InvalidLifecycleEventHookExecutionIdException": (
        "the execution id belongs to no hook of this deployment; the event was not "
        "sent by CodeDeploy, or for another deployment"
    ),
    "DeploymentDoesNotExistException": (
        "the deployment is not in this account and region"
    ),
    "InvalidDeploymentIdException": "the deployment id has the wrong format",
    "DeploymentIdRequiredException": "the event has no deployment id",
    "InvalidLifecycleEventHookExecutionStatusException": (
        "CodeDeploy accepts only Succeeded and Failed"
    ),
    "UnsupportedActionForDeploymentTypeException": (
        "this type of deployment accepts no reports from hooks"
    ),
    "AccessDeniedException": (
        "the function's role lacks codedeploy:PutLifecycleEventHookExecutionStatus on "
        "the deployment group"
    ),
}


@dataclass(frozen=True, slots=True)
class CodeDeployStatus:
    """Reports to CodeDeploy through ``client``, a client of ``AwsCalls``."""

    client: Any

    def report(self, event: HookEvent, status: HookStatus) -> bool:
        """Report the status of the hook.

        Returns:
            False if the event had already ended: a duplicate delivery, the end of the
            hour, or a stopped deployment.

        Raises:
            ReportError: CodeDeploy did not confirm the report.
        """
        from botocore.exceptions import (  # noqa: PLC0415 - slow, and only needed here
            ClientError,
        )

        try:
            self.client.put_lifecycle_event_hook_execution_status(
                deploymentId=event.deployment_id,
                lifecycleEventHookExecutionId=event.execution_id,
                status=str(status),
            )
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "Unknown"))
            if code == _DONE:
                return False
            raise _unreported(event, f"{code}: {_MEANING.get(code, error)}") from error
        except Exception as error:  # a response can break botocore in any way
            why = (
                f"{error}; is there a route from the function to CodeDeploy? It may "
                "have accepted the report anyway"
            )
            raise _unreported(event, why) from error
        return True


def _unreported(event: HookEvent, why: str) -> ReportError:
    action = iam_action("codedeploy", "PutLifecycleEventHookExecutionStatus")
    return ReportError(f"{action} failed for {event.deployment_id}: {why}")
