"""Applications and what is listed of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.codedeploy.api.context import NAME, Context, ContextOperation, paged
from rehearsal.codedeploy.registry import Application
from rehearsal.endpoint.errors import ApiError

MOST_APPLICATIONS = 1000


def _create(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request["applicationName"]
    if not NAME.fullmatch(name):
        message = f"{name!r} is no application name: 1 to 100 letters and digits."
        raise ApiError("InvalidApplicationNameException", message)
    platform = request.get("computePlatform", "Server")
    if platform != "ECS":
        message = f"The rehearsal plays the ECS platform only, not {platform}."
        raise ApiError("InvalidComputePlatformException", message)
    if name in context.registry.applications:
        message = f"Application already exists with name: {name}"
        raise ApiError("ApplicationAlreadyExistsException", message)
    if len(context.registry.applications) >= MOST_APPLICATIONS:
        message = f"A stage keeps at most {MOST_APPLICATIONS} applications."
        raise ApiError("ApplicationLimitExceededException", message)
    application = Application(
        name=name, platform=platform, created_at=context.engine.clock.now()
    )
    context.registry.applications[name] = application
    return {"applicationId": application.id}


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
    "DeleteApplication": _delete,
}
