"""Applications and what is listed of them."""

from __future__ import annotations

from typing import Any

from rehearsal.codedeploy.api.context import NAME, Context
from rehearsal.codedeploy.registry import Application
from rehearsal.endpoint.errors import ApiError
from rehearsal.endpoint.json_service import Operation


def operations(context: Context) -> dict[str, Operation]:
    """CreateApplication, GetApplication, BatchGet-, List- and DeleteApplication."""
    registry = context.registry

    def create(request: dict[str, Any]) -> dict[str, Any]:
        name = request["applicationName"]
        if not NAME.fullmatch(name):
            message = f"{name!r} is no application name: 1 to 100 letters and digits."
            raise ApiError("InvalidApplicationNameException", message)
        platform = request.get("computePlatform", "Server")
        if platform != "ECS":
            message = f"The rehearsal plays the ECS platform only, not {platform}."
            raise ApiError("InvalidComputePlatformException", message)
        if name in registry.applications:
            message = f"Application already exists with name: {name}"
            raise ApiError("ApplicationAlreadyExistsException", message)
        application = Application(
            name=name, platform=platform, created_at=context.engine.clock.now()
        )
        registry.applications[name] = application
        return {"applicationId": application.id}

    def get(request: dict[str, Any]) -> dict[str, Any]:
        return {"application": _info(context.application(request))}

    def batch_get(request: dict[str, Any]) -> dict[str, Any]:
        names = request["applicationNames"]
        found = [context.application({"applicationName": name}) for name in names]
        return {"applicationsInfo": [_info(application) for application in found]}

    def list_all(_: dict[str, Any]) -> dict[str, Any]:
        return {"applications": sorted(registry.applications)}

    def delete(request: dict[str, Any]) -> None:
        registry.applications.pop(request["applicationName"], None)

    return {
        "CreateApplication": create,
        "GetApplication": get,
        "BatchGetApplications": batch_get,
        "ListApplications": list_all,
        "DeleteApplication": delete,
    }


def _info(application: Application) -> dict[str, Any]:
    return {
        "applicationId": application.id,
        "applicationName": application.name,
        "createTime": application.created_at,
        "linkedToGitHub": False,
        "computePlatform": application.platform,
    }
