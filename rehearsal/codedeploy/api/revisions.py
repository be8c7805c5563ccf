"""Application revisions: register, describe and list."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from hookgate.aws.appspec import MAX_BUNDLE, unbundled
from hookgate.errors import CannotMeasure
from hookgate_rehearsal.codedeploy.api.context import (
    CodeDeployContext,
    CodeDeployOperation,
    Request,
    Response,
    one_of,
    paged,
)
from hookgate_rehearsal.codedeploy.appspec import AppSpecError, parse_app_spec
from hookgate_rehearsal.codedeploy.registry import (
    Application,
    Location,
    ReadObject,
    Revision,
)
from hookgate_rehearsal.endpoint.protocols import ApiError

BUNDLES = ("YAML", "JSON", "zip", "tar", "tgz")
MOST_REVISIONS = 1000  # of an application; the oldest is forgotten
_DEPLOYED = ("include", "exclude", "ignore")
_MEMBERS = {"AppSpecContent": "appSpecContent", "String": "string", "S3": "s3Location"}
_SORTED_BY = ("registerTime", "firstUsedTime", "lastUsedTime")


def register(
    context: CodeDeployContext,
    application: Application,
    location: Location,
    description: str | None = None,
) -> Revision:
    """Read a revision, check its AppSpec and keep it.

    Raises:
        ApiError: The revision cannot be read or its AppSpec is wrong.
    """
    try:
        completed, content = _located(location, context.read_object)
        parse_app_spec(content)
    except AppSpecError as error:
        raise _invalid(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        given = location.get("s3Location") or {}
        place = f"s3://{given.get('bucket')}/{given.get('key')}"
        raise _invalid(f"The revision {place} cannot be read: {error}") from error
    key = revision_key(completed)
    known = application.revisions.get(key)
    revision = Revision(
        key=key,
        location=completed,
        content=content,
        registered_at=known.registered_at if known else context.engine.clock(),
        description=description or (known.description if known else None),
    )
    application.revisions[key] = revision
    if len(application.revisions) > MOST_REVISIONS:
        del application.revisions[next(iter(application.revisions))]
    return revision


def _register_revision(context: CodeDeployContext, request: Request) -> None:
    application = context.application(request)
    register(context, application, request["revision"], request.get("description"))


def _get(context: CodeDeployContext, request: Request) -> Response:
    application = context.application(request)
    revision = _known(application, request["revision"])
    return {
        "applicationName": application.name,
        "revision": revision.location,
        "revisionInfo": _info(context, application, revision),
    }


def _batch_get(context: CodeDeployContext, request: Request) -> Response:
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


def _list_all(context: CodeDeployContext, request: Request) -> Response:
    application = context.application(request)
    known = _filtered(context, application, request)
    by = one_of(request, "sortBy", _SORTED_BY, "InvalidSortByException")
    if by is not None:
        known.sort(key=lambda each: _info(context, application, each)[by] or 0.0)
    orders = ("ascending", "descending")
    order = one_of(request, "sortOrder", orders, "InvalidSortOrderException")
    if order == "descending":
        known.reverse()
    locations = [without_content(revision.location) for revision in known]
    return paged(request, "revisions", locations, key=revision_key)


def _filtered(
    context: CodeDeployContext, application: Application, request: Request
) -> list[Revision]:
    """Filter revisions by location in S3, and by whether a group has deployed them."""
    bucket, prefix = request.get("s3Bucket"), request.get("s3KeyPrefix")
    if prefix is not None and bucket is None:
        message = f"s3KeyPrefix is {prefix!r}, but of which s3Bucket?"
        raise ApiError("BucketNameFilterRequiredException", message)
    code = "InvalidDeployedStateFilterException"
    deployed = one_of(request, "deployed", _DEPLOYED, code) or "ignore"
    revisions = application.revisions.values()
    found = [each for each in revisions if _is_in(each, bucket, prefix or "")]
    if deployed == "ignore":
        return found
    groups = application.groups.values()
    targets = [context.target_revision(group) for group in groups]
    keys = {revision_key(each) for each in targets if each is not None}
    return [each for each in found if (each.key in keys) == (deployed == "include")]


def _is_in(revision: Revision, bucket: str | None, prefix: str) -> bool:
    if bucket is None:
        return True
    given = revision.location.get("s3Location") or {}
    return given.get("bucket") == bucket and given["key"].startswith(prefix)


def _known(application: Application, location: Location) -> Revision:
    found = application.revisions.get(revision_key(location))
    if found is None:
        message = f"{application.name} has no revision {revision_key(location)}"
        raise ApiError("RevisionDoesNotExistException", message)
    return found


def _info(
    context: CodeDeployContext, application: Application, revision: Revision
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


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidRevisionException", message)


def _located(location: Location, read_object: ReadObject) -> tuple[Location, str]:
    """Read a revision's AppSpec and complete its location.

    Args:
        location: The ``RevisionLocation`` of a request.
        read_object: Reads an object from S3.

    Returns:
        The location, with the content's sha256 where it has one, and the content.

    Raises:
        ApiError: The location is incomplete or not supported.
    """
    given = (kind for kind, member in _MEMBERS.items() if member in location)
    kind = location.get("revisionType") or next(given, None)
    if kind not in _MEMBERS:
        raise _invalid(f"revision type {kind!r} is not supported for an ECS deployment")
    if kind == "S3":
        return _from_s3(location, read_object)
    return _inline(kind, _MEMBERS[kind], location)


def _inline(kind: str, member: str, location: Location) -> tuple[Location, str]:
    given = location.get(member) or {}
    content = given.get("content")
    if not content:
        raise _invalid(
            f"{member}.content is missing or empty; GetApplicationRevision returns "
            "it for a registered revision"
        )
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    if given.get("sha256") not in (None, sha256):
        raise _invalid(f"{member}.sha256 is not the sha256 of its content")
    completed = {"content": content, "sha256": sha256}
    return {"revisionType": kind, member: completed}, content


def _from_s3(location: Location, read_object: ReadObject) -> tuple[Location, str]:
    given = location.get("s3Location") or {}
    bucket, key = given.get("bucket"), given.get("key")
    if not bucket or not key:
        raise _invalid("s3Location needs a bucket and a key")
    bundle = given.get("bundleType")
    if bundle not in BUNDLES:
        message = f"bundleType {bundle!r} is not one of {', '.join(BUNDLES)}"
        raise _invalid(message)
    read = read_object(bucket, key, given.get("version"))
    if len(read) > MAX_BUNDLE:
        raise _invalid(f"the object is larger than {MAX_BUNDLE // 2**20} MiB")
    try:
        content = unbundled(read, bundle)
    except CannotMeasure as error:
        raise _invalid(str(error)) from error
    return {"revisionType": "S3", "s3Location": dict(given)}, content


def revision_key(location: Location) -> str:
    """Identify a revision by its content's sha256 or its object."""
    for member in ("appSpecContent", "string"):
        given = location.get(member)
        if given:
            content = given.get("content")
            digest = given.get("sha256")
            if digest is None and content is not None:
                digest = hashlib.sha256(content.encode()).hexdigest()
            return f"{member}:{digest}"
    given = location.get("s3Location") or {}
    parts = (given.get(name) for name in ("bucket", "key", "version", "eTag"))
    return "s3:" + "/".join(str(part or "") for part in parts)


def without_content(location: Location | None) -> Location | None:
    """Remove a revision's content, which GetDeployment does not return.

    Source: botocore's model of GetDeployment.
    """
    if location is None or "appSpecContent" not in location:
        return location
    sha256 = location["appSpecContent"]["sha256"]
    return {**location, "appSpecContent": {"sha256": sha256}}


OPERATIONS: Mapping[str, CodeDeployOperation] = {
    "RegisterApplicationRevision": _register_revision,
    "GetApplicationRevision": _get,
    "BatchGetApplicationRevisions": _batch_get,
    "ListApplicationRevisions": _list_all,
}
