"""Deployment groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.codedeploy.api.context import NAME, Context, ContextOperation, paged
from rehearsal.codedeploy.api.group_settings import check_settings, with_defaults
from rehearsal.codedeploy.api.tags import tags_of
from rehearsal.codedeploy.model.deployment import Deployment
from rehearsal.codedeploy.model.vocabulary import DeploymentStatus
from rehearsal.codedeploy.registry import Application, Group
from rehearsal.codedeploy.revisions import without_content
from rehearsal.endpoint.errors import ApiError

NAMES = {
    "applicationName",
    "currentDeploymentGroupName",
    "deploymentGroupName",
    "newDeploymentGroupName",
    "tags",
}

MOST_GROUPS = 1000  # AWS's own quota


def _create(context: Context, request: dict[str, Any]) -> dict[str, Any]:
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
    group = Group(application=application.name, name=name, settings=settings, tags=tags)
    application.groups[name] = group
    return {"deploymentGroupId": group.id}


def _update(context: Context, request: dict[str, Any]) -> dict[str, Any]:
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


def _get(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    return {"deploymentGroupInfo": _info(context, context.group(request))}


def _batch_get(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    application = context.application(request)
    names = request["deploymentGroupNames"]
    found = [name for name in names if name in application.groups]
    infos = [_info(context, application.groups[name]) for name in found]
    return {"deploymentGroupsInfo": infos}


def _list_all(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    application = context.application(request)
    return {
        "applicationName": application.name,
        **paged(request, "deploymentGroups", sorted(application.groups)),
    }


def _delete(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    # The operation models no error for an application that is not there.
    application = context.registry.applications.get(request["applicationName"])
    if application is not None:
        application.groups.pop(request["deploymentGroupName"], None)
    return {"hooksNotCleanedUp": []}


def _check_name(application: Application, name: str) -> None:
    if not NAME.fullmatch(name):
        message = f"{name!r} is no deployment group name."
        raise ApiError("InvalidDeploymentGroupNameException", message)
    if name in application.groups:
        message = f"Deployment group already exists with name: {name}"
        raise ApiError("DeploymentGroupAlreadyExistsException", message)


def _check_services(
    context: Context, settings: Mapping[str, Any], own: Group | None = None
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


def _settings(request: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name not in NAMES}


def _info(context: Context, group: Group) -> dict[str, Any]:
    deployments = context.engine.deployments(group.application, group.name)
    done = [d for d in deployments if d.status is DeploymentStatus.SUCCEEDED]
    return {
        **group.settings,
        "applicationName": group.application,
        "deploymentGroupId": group.id,
        "deploymentGroupName": group.name,
        "computePlatform": "ECS",
        "targetRevision": without_content(context.target_revision(group)),
        "lastSuccessfulDeployment": _last(done),
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


OPERATIONS: Mapping[str, ContextOperation] = {
    "CreateDeploymentGroup": _create,
    "UpdateDeploymentGroup": _update,
    "GetDeploymentGroup": _get,
    "BatchGetDeploymentGroups": _batch_get,
    "ListDeploymentGroups": _list_all,
    "DeleteDeploymentGroup": _delete,
}
