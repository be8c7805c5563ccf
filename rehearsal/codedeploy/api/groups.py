"""Deployment groups."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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


def with_defaults(settings: Settings) -> dict[str, Any]:
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


def check_settings(settings: Settings, configs: Mapping[str, Any]) -> None:
    """Refuse a group that no ECS deployment could use.

    Args:
        settings: The group's members in the API's shape.
        configs: The deployment configurations by name.

    Raises:
        ApiError: With the exception that the API models for what is wrong.
    """
    checks: tuple[Callable[[Settings], None], ...] = (
        _check_style,
        _check_service,
        _check_routes,
        _check_blue_green,
        _check_role,
    )
    for check in checks:
        check(settings)
    check_rollback(settings.get("autoRollbackConfiguration") or {})
    check_alarms(settings.get("alarmConfiguration") or {})
    _check_triggers(settings)
    config = settings["deploymentConfigName"]
    if config not in configs:
        message = f"No deployment configuration found for name: {config}"
        raise ApiError("DeploymentConfigDoesNotExistException", message)


def _check_style(settings: Settings) -> None:
    style = settings.get("deploymentStyle") or {}
    kind, option = style.get("deploymentType"), style.get("deploymentOption")
    if (kind, option) != ("BLUE_GREEN", "WITH_TRAFFIC_CONTROL"):
        message = (
            "For ECS deployment group, deploymentStyle must be BLUE_GREEN and "
            f"WITH_TRAFFIC_CONTROL, not {kind} and {option}."
        )
        raise ApiError("InvalidDeploymentStyleException", message)


def _check_service(settings: Settings) -> None:
    services = settings.get("ecsServices") or []
    if len(services) != 1 or not all(
        services[0].get(member) for member in ("clusterName", "serviceName")
    ):
        message = (
            "For ECS deployment group, ecsServices must have exactly one service with "
            "clusterName and serviceName."
        )
        raise ApiError("InvalidECSServiceException", message)


def _check_routes(settings: Settings) -> None:
    info = settings.get("loadBalancerInfo") or {}
    if info.get("elbInfoList"):
        message = "For ECS deployment group, loadBalancerInfo must not contain elbInfo."
        raise ApiError("InvalidLoadBalancerInfoException", message)
    pairs = info.get("targetGroupPairInfoList") or []
    if len(pairs) != 1:
        message = "loadBalancerInfo needs exactly one targetGroupPairInfo."
        raise ApiError("InvalidLoadBalancerInfoException", message)
    groups = [group.get("name") for group in pairs[0].get("targetGroups") or []]
    if len(set(groups)) != 2 or not all(groups):
        message = "A targetGroupPairInfo names exactly two different targetGroups."
        raise ApiError("InvalidTargetGroupPairException", message)
    if len((pairs[0].get("prodTrafficRoute") or {}).get("listenerArns") or []) != 1:
        message = "prodTrafficRoute.listenerArns needs exactly one listener."
        raise ApiError("InvalidTargetGroupPairException", message)
    test = pairs[0].get("testTrafficRoute")
    if test is not None and len(test.get("listenerArns") or []) != 1:
        message = "testTrafficRoute.listenerArns needs exactly one listener."
        raise ApiError("InvalidTargetGroupPairException", message)


def _check_blue_green(settings: Settings) -> None:
    code = "InvalidBlueGreenDeploymentConfigurationException"
    config = settings.get("blueGreenDeploymentConfiguration")
    if not config:
        message = "For ECS, blueGreenDeploymentConfiguration is needed."
        raise ApiError(code, message)
    termination = config.get("terminateBlueInstancesOnDeploymentSuccess") or {}
    if termination.get("action", "TERMINATE") not in {"TERMINATE", "KEEP_ALIVE"}:
        raise ApiError(code, f"{termination['action']!r} is not a termination action.")
    wait = termination.get("terminationWaitTimeInMinutes", 0)
    if not 0 <= wait <= MAX_TERMINATION_WAIT:
        message = f"terminationWaitTimeInMinutes is 0 to {MAX_TERMINATION_WAIT}."
        raise ApiError(code, message)
    ready = config.get("deploymentReadyOption") or {}
    action = ready.get("actionOnTimeout", "CONTINUE_DEPLOYMENT")
    if action not in {"CONTINUE_DEPLOYMENT", "STOP_DEPLOYMENT"}:
        raise ApiError(code, f"{action!r} is not an actionOnTimeout.")


def _check_role(settings: Settings) -> None:
    role = settings["serviceRoleArn"]
    if not ROLE.fullmatch(role):
        message = f"serviceRoleArn is the ARN of an IAM role, not {role!r}."
        raise ApiError("InvalidRoleException", message)


def _check_triggers(settings: Settings) -> None:
    triggers = settings.get("triggerConfigurations") or []
    for trigger in triggers:
        events = set(trigger.get("triggerEvents") or [])
        unknown = events - TRIGGER_EVENTS
        arn = trigger.get("triggerTargetArn") or ""
        if unknown or not events or not trigger.get("triggerName"):
            message = (
                "A trigger has a triggerName and one or more triggerEvents of "
                f"{', '.join(sorted(TRIGGER_EVENTS))}; not {sorted(unknown)}."
            )
            raise ApiError("InvalidTriggerConfigException", message)
        if not arn.startswith("arn:aws:sns:"):
            message = f"triggerTargetArn is the ARN of an SNS topic, not {arn!r}."
            raise ApiError("InvalidTriggerConfigException", message)
    if len(triggers) > MAX_TRIGGERS:
        message = f"A deployment group takes at most {MAX_TRIGGERS} triggers."
        raise ApiError("TriggerTargetsLimitExceededException", message)


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
    settings = with_defaults(_settings(request))
    check_settings(settings, context.registry.configs)
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
    settings = with_defaults({**group.settings, **_settings(request)})
    check_settings(settings, context.registry.configs)
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
    wanted = [_service(each) for each in settings["ecsServices"]]
    for application in context.registry.applications.values():
        for group in application.groups.values():
            if group is own:
                continue
            for each in map(_service, group.settings["ecsServices"]):
                if each in wanted:
                    message = (
                        f"The ECS service {':'.join(each)} belongs to the deployment "
                        f"group {group.name} of {application.name} already."
                    )
                    raise ApiError("ECSServiceMappingLimitExceededException", message)


def _service(named: Mapping[str, str]) -> tuple[str, str]:
    return named["clusterName"], named["serviceName"]


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
