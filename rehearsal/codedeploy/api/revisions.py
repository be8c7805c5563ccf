"""Application revisions: registered, told in full, listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.codedeploy.api.context import Context, ContextOperation
from rehearsal.codedeploy.appspec import AppSpecError, parse_app_spec
from rehearsal.codedeploy.registry import Application
from rehearsal.codedeploy.revisions import (
    Location,
    Revision,
    RevisionError,
    located,
    revision_key,
    without_content,
)
from rehearsal.endpoint.errors import ApiError


def register(
    context: Context,
    application: Application,
    location: Location,
    description: str | None = None,
) -> Revision:
    """Read a revision, check its AppSpec and keep it.

    Raises:
        ApiError: The revision cannot be read or its AppSpec is wrong.
    """
    try:
        completed, content = located(location, context.read_object)
        parse_app_spec(content)
    except (RevisionError, AppSpecError) as error:
        raise ApiError("InvalidRevisionException", str(error)) from error
    except (ClientError, BotoCoreError) as error:
        message = f"The revision's S3 object cannot be read: {error}"
        raise ApiError("InvalidRevisionException", message) from error
    key = revision_key(completed)
    known = application.revisions.get(key)
    revision = Revision(
        location=completed,
        content=content,
        registered_at=known.registered_at if known else context.engine.clock.now(),
        description=description or (known.description if known else None),
    )
    application.revisions[key] = revision
    return revision


def _register_revision(context: Context, request: dict[str, Any]) -> None:
    application = context.application(request)
    register(context, application, request["revision"], request.get("description"))


def _get(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    application = context.application(request)
    revision = _known(application, request["revision"])
    return {
        "applicationName": application.name,
        "revision": revision.location,
        "revisionInfo": _info(context, application, revision),
    }


def _batch_get(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    application = context.application(request)
    found = [_known(application, location) for location in request["revisions"]]
    return {
        "applicationName": application.name,
        "revisions": [
            {
                "revisionLocation": without_content(revision.location),
                "genericRevisionInfo": _info(context, application, revision),
            }
            for revision in found
        ],
    }


def _list_all(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    known = context.application(request).revisions.values()
    return {"revisions": [without_content(revision.location) for revision in known]}


def _known(application: Application, location: Location) -> Revision:
    found = application.revisions.get(revision_key(location))
    if found is None:
        message = f"{application.name} has no revision {revision_key(location)}"
        raise ApiError("RevisionDoesNotExistException", message)
    return found


def _info(
    context: Context, application: Application, revision: Revision
) -> dict[str, Any]:
    users = [
        deployment
        for deployment in context.engine.deployments(application.name)
        if revision_key(deployment.order.revision) == revision.key
    ]
    times = [deployment.order.created_at for deployment in users]
    return {
        "description": revision.description,
        "deploymentGroups": sorted({deployment.order.group for deployment in users}),
        "firstUsedTime": min(times, default=None),
        "lastUsedTime": max(times, default=None),
        "registerTime": revision.registered_at,
    }


OPERATIONS: Mapping[str, ContextOperation] = {
    "RegisterApplicationRevision": _register_revision,
    "GetApplicationRevision": _get,
    "BatchGetApplicationRevisions": _batch_get,
    "ListApplicationRevisions": _list_all,
}
