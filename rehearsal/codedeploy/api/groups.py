"""Deployment groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hookgate_rehearsal.codedeploy.api.applications import tags_of
from hookgate_rehearsal.codedeploy.api.context import (
    NAME,
    CodeDeployContext,
    CodeDeployOperation,
    Request,
    Response,
    check_alarms,
    check_rollback,
    paged,
)
from hookgate_rehearsal.codedeploy.api.revisions import without_content
from hookgate_rehearsal.codedeploy.model.deployment import (
    Deployment,
)
from hookgate_rehearsal.codedeploy.registry import (
    Application,
    DeploymentGroup,
)
from hookgate_rehearsal.endpoint.protocols import ApiError

Settings = Mapping[str, Any]
Problems = Iterator[tuple[str, str]]

"""The code and message of each error; what follows one assumes that it is absent."""

ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,576}")

MAX_TERMINATION_WAIT = 2880  # minutes, by the API's model

MAX_TRIGGERS = 10

TRIGGER_EVENTS = {
    *("DeploymentStart", "DeploymentSuccess", "DeploymentFailure", "DeploymentStop"),
    *("DeploymentRollback", "DeploymentReady", "InstanceStart", "InstanceSuccess"),
    *("InstanceFailure", "InstanceReady"),
}

DEFAULT_CONFIG = "CodeDeployDefault.ECSAllAtOnce"

_WAITS: Mapping[str, Mapping[str, Any]] = {
    "terminateBlueInstancesOnDeploymentSuccess": {
        "action": "TERMINATE",
        "terminationWaitTimeInMinutes": 0,
    },
    "deploymentReadyOption": {
        "actionOnTimeout": "CONTINUE_DEPLOYMENT",
        "waitTimeInMinutes": 0,
    },
}


def _with_defaults(settings: Settings) -> dict[str, Any]:
    """A group's settings with the waits that were left out, as zero.

    GetDeploymentGroup returns them, and `aws ecs deploy` reads both.
    """
    filled = {"deploymentConfigName": DEFAULT_CONFIG, **settings}
    given = filled.get("blueGreenDeploymentConfiguration")
    if given:
        filled["blueGreenDeploymentConfiguration"] = {
            **given,
            **{
                name: {**default, **(given.get(name) or {})}
                for name, default in _WAITS.items()
            },
        }
    return filled


def _check_settings(context: CodeDeployContext, settings: Settings) -> None:
    """Refuse a group that no ECS deployment could use, because of its first problem."""
    for problems in (
        _style_problems,
        _service_problems,
        _route_problems,
        _blue_green_problems,
        _role_problems,
        _trigger_problems,
    ):
        problem = next(problems(settings), None)
        if problem is not None:
            raise ApiError(*problem)
    check_rollback(settings.get("autoRollbackConfiguration") or {})
    check_alarms(settings.get("alarmConfiguration") or {})
    context.config(settings["deploymentConfigName"])


def _style_problems(settings: Settings) -> Problems:
    style = settings.get("deploymentStyle") or {}
    kind, option = style.get("deploymentType"), style.get("deploymentOption")
    if (kind, option) != ("BLUE_GREEN", "WITH_TRAFFIC_CONTROL"):
        message = (
            "For ECS deployment group, deploymentStyle must be BLUE_GREEN and "
            f"WITH_TRAFFIC_CONTROL, not {kind} and {option}."
        )
        yield "InvalidDeploymentStyleException", message


def _service_problems(settings: Settings) -> Problems:
    services = settings.get("ecsServices") or []
    if len(services) != 1 or not all(
        services[0].get(member) for member in ("clusterName", "serviceName")
    ):
        message = (
            "For ECS deployment group, ecsServices must have exactly one service with "
            "clusterName and serviceName."
        )
        yield "InvalidECSServiceException", message


def _route_problems(settings: Settings) -> Problems:
    code = "InvalidLoadBalancerInfoException"
    info = settings.get("loadBalancerInfo") or {}
    if info.get("elbInfoList"):
        yield code, "For ECS deployment group, loadBalancerInfo must not have elbInfo."
    pairs = info.get("targetGroupPairInfoList") or []
    if len(pairs) != 1:
        yield code, "loadBalancerInfo must have exactly one targetGroupPairInfo."
    code = "InvalidTargetGroupPairException"
    groups = [group.get("name") for group in pairs[0].get("targetGroups") or []]
    if len(set(groups)) != 2 or not all(groups):
        yield code, "targetGroupPairInfo must have exactly two different targetGroups."
    routes = {"prodTrafficRoute": {}, **pairs[0]}
    for name in ("prodTrafficRoute", "testTrafficRoute"):
        if name in routes and len(routes[name].get("listenerArns") or []) != 1:
            yield code, f"{name}.listenerArns must have exactly one listener."


def _blue_green_problems(settings: Settings) -> Problems:
    code = "InvalidBlueGreenDeploymentConfigurationException"
    config: Any = settings.get("blueGreenDeploymentConfiguration")
    if not config:
        yield code, "For ECS, blueGreenDeploymentConfiguration is required."
    termination = config["terminateBlueInstancesOnDeploymentSuccess"]
    if termination["action"] not in {"TERMINATE", "KEEP_ALIVE"}:
        yield code, f"{termination['action']!r} is not a termination action."
    if not 0 <= termination["terminationWaitTimeInMinutes"] <= MAX_TERMINATION_WAIT:
        yield code, f"terminationWaitTimeInMinutes is 0 to {MAX_TERMINATION_WAIT}."
    action = config["deploymentReadyOption"]["actionOnTimeout"]
    if action not in {"CONTINUE_DEPLOYMENT", "STOP_DEPLOYMENT"}:
        yield code, f"{action!r} is not an actionOnTimeout."


def _role_problems(settings: Settings) -> Problems:
    role = settings["serviceRoleArn"]
    if not ROLE.fullmatch(role):
        message = f"serviceRoleArn must be the ARN of an IAM role, not {role!r}."
        yield "InvalidRoleException", message


def _trigger_problems(settings: Settings) -> Problems:
    code = "InvalidTriggerConfigException"
    triggers = settings.get("triggerConfigurations") or []
    for trigger in triggers:
        events = set(trigger.get("triggerEvents") or [])
        unknown = events - TRIGGER_EVENTS
        arn = trigger.get("triggerTargetArn") or ""
        if unknown or not events or not trigger.get("triggerName"):
            message = (
                "A trigger must have a triggerName and one or more triggerEvents of "
                f"{', '.join(sorted(TRIGGER_EVENTS))}; not {sorted(unknown)}."
            )
            yield code, message
        if not arn.startswith("arn:aws:sns:"):
            yield (
                code,
                f"triggerTargetArn must be an SNS topic's ARN, not {arn!r}.",
            )
    if len(triggers) > MAX_TRIGGERS:
        message = f"A deployment group takes at most {MAX_TRIGGERS} triggers."
        yield "TriggerTargetsLimitExceededException", message


NAMES = {
    "applicationName",
    "currentDeploymentGroupName",
    "deploymentGroupName",
    "newDeploymentGroupName",
    "tags",
}

MOST_GROUPS = 1000  # AWS's own quota


def _create(context: CodeDeployContext, request: Request) -> Response:
    application = context.application(request)
    name = request["deploymentGroupName"]
    _check_name(application, name)
    if len(application.groups) >= MOST_GROUPS:
        message = f"An application has at most {MOST_GROUPS} deployment groups."
        raise ApiError("DeploymentGroupLimitExceededException", message)
    settings = _with_defaults(_settings(request))
    _check_settings(context, settings)
    _check_services(context, settings)
    tags = tags_of(request.get("tags") or [])
    group = DeploymentGroup(
        application=application.name, name=name, settings=settings, tags=tags
    )
    application.groups[name] = group
    return {"deploymentGroupId": group.id}


def _update(context: CodeDeployContext, request: Request) -> Response:
    application = context.application(request)
    group = context.group(request, "currentDeploymentGroupName")
    settings = _with_defaults({**group.settings, **_settings(request)})
    _check_settings(context, settings)
    _check_services(context, settings, group)
    name = request.get("newDeploymentGroupName", group.name)
    if name != group.name:
        _check_name(application, name)
        context.engine.rename((application.name, group.name), (application.name, name))
    del application.groups[group.name]
    group.name, group.settings = name, settings
    application.groups[name] = group
    return {"hooksNotCleanedUp": []}


def _get(context: CodeDeployContext, request: Request) -> Response:
    return {"deploymentGroupInfo": _info(context, context.group(request))}


def _batch_get(context: CodeDeployContext, request: Request) -> Response:
    application = context.application(request)
    names = request["deploymentGroupNames"]
    found = [name for name in names if name in application.groups]
    infos = [_info(context, application.groups[name]) for name in found]
    return {"deploymentGroupsInfo": infos}


def _list_all(context: CodeDeployContext, request: Request) -> Response:
    application = context.application(request)
    return {
        "applicationName": application.name,
        **paged(request, "deploymentGroups", sorted(application.groups)),
    }


def _delete(context: CodeDeployContext, request: Request) -> Response:
    # The operation models no error for an application that is not there.
    application = context.registry.applications.get(request["applicationName"])
    if application is not None:
        application.groups.pop(request["deploymentGroupName"], None)
    return {"hooksNotCleanedUp": []}


def _check_name(application: Application, name: str) -> None:
    if not NAME.fullmatch(name):
        message = f"{name!r} is not a deployment group name."
        raise ApiError("InvalidDeploymentGroupNameException", message)
    if name in application.groups:
        message = f"Deployment group already exists with name: {name}"
        raise ApiError("DeploymentGroupAlreadyExistsException", message)


def _check_services(
    context: CodeDeployContext,
    settings: Mapping[str, Any],
    own: DeploymentGroup | None = None,
) -> None:
    """An ECS service belongs to one deployment group, by CodeDeploy's quotas."""
    (wanted,) = settings["ecsServices"]
    for application in context.registry.applications.values():
        for group in application.groups.values():
            if group is not own and group.settings["ecsServices"] == [wanted]:
                message = (
                    f"The ECS service {wanted['clusterName']}:{wanted['serviceName']} "
                    f"belongs to the deployment group {group.name} of "
                    f"{application.name} already."
                )
                raise ApiError("ECSServiceMappingLimitExceededException", message)


def _settings(request: Request) -> Response:
    return {name: value for name, value in request.items() if name not in NAMES}


def _info(context: CodeDeployContext, group: DeploymentGroup) -> dict[str, Any]:
    deployments = context.engine.deployments(group.application, group.name)
    return {
        **group.settings,
        "applicationName": group.application,
        "deploymentGroupId": group.id,
        "deploymentGroupName": group.name,
        "computePlatform": "ECS",
        "targetRevision": without_content(context.target_revision(group)),
        "lastSuccessfulDeployment": _last(context.succeeded(group)),
        "lastAttemptedDeployment": _last(deployments),
    }


def _last(deployments: list[Deployment]) -> dict[str, Any] | None:
    if not deployments:
        return None
    last = deployments[-1]
    return {
        "deploymentId": last.id,
        "status": last.status.value,
        "createTime": last.order.created_at,
        "endTime": last.completed_at,
    }


OPERATIONS: Mapping[str, CodeDeployOperation] = {
    "CreateDeploymentGroup": _create,
    "UpdateDeploymentGroup": _update,
    "GetDeploymentGroup": _get,
    "BatchGetDeploymentGroups": _batch_get,
    "ListDeploymentGroups": _list_all,
    "DeleteDeploymentGroup": _delete,
}
