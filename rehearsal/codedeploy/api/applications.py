"""Applications and what is listed of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.codedeploy.api.context import NAME, Context, ContextOperation, paged
from rehearsal.codedeploy.api.tags import tags_of
from rehearsal.codedeploy.registry import Application
from rehearsal.endpoint.conformity import ApiError

MOST_APPLICATIONS = 1000


def _create(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request["applicationName"]
    _check_name(name)
    platform = request.get("computePlatform", "Server")
    if platform != "ECS":
        message = f"The rehearsal plays the ECS platform only, not {platform}."
        raise ApiError("InvalidComputePlatformException", message)
    _check_free(context, name)
    if len(context.registry.applications) >= MOST_APPLICATIONS:
        message = f"An emulator keeps at most {MOST_APPLICATIONS} applications."
        raise ApiError("ApplicationLimitExceededException", message)
    application = Application(
        name=name,
        platform=platform,
        created_at=context.engine.clock.now(),
        tags=tags_of(request.get("tags") or []),
    )
    context.registry.applications[name] = application
    return {"applicationId": application.id}


def _update(context: Context, request: dict[str, Any]) -> None:
    if "applicationName" not in request:  # which the model does not call required
        message = "applicationName is missing: which application is renamed?"
        raise ApiError("ApplicationNameRequiredException", message)
    application = context.application(request)
    name = request.get("newApplicationName", application.name)
    if name == application.name:
        return
    _check_name(name)
    _check_free(context, name)
    for group in application.groups.values():
        context.engine.rename((application.name, group.name), (name, group.name))
        group.application = name
    applications = context.registry.applications
    del applications[application.name]
    application.name = name
    applications[name] = application


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        message = f"{name!r} is no application name: 1 to 100 letters and digits."
        raise ApiError("InvalidApplicationNameException", message)


def _check_free(context: Context, name: str) -> None:
    if name in context.registry.applications:
        message = f"Application already exists with name: {name}"
        raise ApiError("ApplicationAlreadyExistsException", message)


def _get(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    return {"application": _info(context.application(request))}


def _batch_get(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    names = request["applicationNames"]
    found = [context.application({"applicationName": name}) for name in names]
    return {"applicationsInfo": [_info(application) for application in found]}


def _list_all(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    return paged(request, "applications", sorted(context.registry.applications))


def _delete(context: Context, request: dict[str, Any]) -> None:
    context.registry.applications.pop(request["applicationName"], None)


def _info(application: Application) -> dict[str, Any]:
    return {
        "applicationId": application.id,
        "applicationName": application.name,
        "createTime": application.created_at,
        "linkedToGitHub": False,
        "computePlatform": application.platform,
    }


OPERATIONS: Mapping[str, ContextOperation] = {
    "CreateApplication": _create,
    "GetApplication": _get,
    "BatchGetApplications": _batch_get,
    "ListApplications": _list_all,
    "UpdateApplication": _update,
    "DeleteApplication": _delete,
}
