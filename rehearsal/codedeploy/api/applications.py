"""Applications, tags and deployment configurations."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from hookgate_rehearsal.codedeploy.api.context import (
    CodeDeployContext,
    CodeDeployOperation,
    Request,
    Response,
    checked_name,
    paged,
)
from hookgate_rehearsal.codedeploy.registry import Application
from hookgate_rehearsal.endpoint.protocols import ApiError

MOST_APPLICATIONS = 1000


def _create(context: CodeDeployContext, request: Request) -> Response:
    name = checked_name(request["applicationName"])
    platform = request.get("computePlatform", "Server")
    if platform != "ECS":
        message = f"The rehearsal supports the ECS platform only, not {platform}."
        raise ApiError("InvalidComputePlatformException", message)
    _check_free(context, name)
    if len(context.registry.applications) >= MOST_APPLICATIONS:
        message = f"An emulator keeps at most {MOST_APPLICATIONS} applications."
        raise ApiError("ApplicationLimitExceededException", message)
    application = Application(
        name=name,
        platform=platform,
        created_at=context.engine.clock(),
        tags=tags_of(request.get("tags") or []),
    )
    context.registry.applications[name] = application
    return {"applicationId": application.id}


def _update(context: CodeDeployContext, request: Request) -> None:
    if "applicationName" not in request:  # which the model does not call required
        message = "applicationName is missing: which application is renamed?"
        raise ApiError("ApplicationNameRequiredException", message)
    application = context.application(request)
    name = request.get("newApplicationName", application.name)
    if name == application.name:
        return
    checked_name(name)
    _check_free(context, name)
    for group in application.groups.values():
        context.engine.rename((application.name, group.name), (name, group.name))
        group.application = name
    applications = context.registry.applications
    del applications[application.name]
    application.name = name
    applications[name] = application


def _check_free(context: CodeDeployContext, name: str) -> None:
    if name in context.registry.applications:
        message = f"Application already exists with name: {name}"
        raise ApiError("ApplicationAlreadyExistsException", message)


def _get(context: CodeDeployContext, request: Request) -> Response:
    return {"application": _info(context.application(request))}


def _batch_get(context: CodeDeployContext, request: Request) -> Response:
    names = request["applicationNames"]
    found = [context.application({"applicationName": name}) for name in names]
    return {"applicationsInfo": [_info(application) for application in found]}


def _list_all(context: CodeDeployContext, request: Request) -> Response:
    return paged(request, "applications", sorted(context.registry.applications))


def _delete(context: CodeDeployContext, request: Request) -> None:
    context.registry.applications.pop(request["applicationName"], None)


def _info(application: Application) -> dict[str, Any]:
    return {
        "applicationId": application.id,
        "applicationName": application.name,
        "createTime": application.created_at,
        "linkedToGitHub": False,
        "computePlatform": application.platform,
    }


MOST_TAGS = 50  # AWS's own quota
_ARN = re.compile(
    r"arn:[\w-]+:codedeploy:[\w-]+:\d{12}:(?P<kind>[a-z]+):"
    r"(?P<application>[^/]+)(?:/(?P<group>[^/]+))?"
)


def tags_of(given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Convert the tags of a request.

    Raises:
        ApiError: A key is empty or reserved, or there are too many tags.
    """
    for each in given:
        key = each.get("Key", "")
        if not key or key.lower().startswith("aws:"):
            message = f"{key!r} cannot be a tag's Key: it is empty or begins with aws:."
            raise ApiError("InvalidTagsToAddException", message)
    tags = {each["Key"]: each.get("Value", "") for each in given}
    _check_number(tags)
    return tags


def _check_number(tags: Mapping[str, str]) -> None:
    if len(tags) > MOST_TAGS:
        message = f"{len(tags)} tags are more than {MOST_TAGS}."
        raise ApiError("InvalidTagsToAddException", message)


def _tag_resource(context: CodeDeployContext, request: Request) -> Response:
    kept = _tags_at(context, request["ResourceArn"])
    both = {**kept, **tags_of(request["Tags"])}
    _check_number(both)
    kept.update(both)
    return {}


def _untag_resource(context: CodeDeployContext, request: Request) -> Response:
    kept = _tags_at(context, request["ResourceArn"])
    for key in request["TagKeys"]:
        kept.pop(key, None)
    return {}


def _list_tags(context: CodeDeployContext, request: Request) -> Response:
    try:
        kept = _tags_at(context, request["ResourceArn"])
    except ApiError as error:
        if "DoesNotExist" not in error.code:
            raise
        # The operation models no error for what is not there, but one for its ARN.
        raise ApiError("InvalidArnException", error.message) from error
    return {"Tags": [{"Key": key, "Value": value} for key, value in kept.items()]}


def _tags_at(context: CodeDeployContext, arn: str) -> dict[str, str]:
    """The tags of what an ARN names."""
    named = _ARN.fullmatch(arn)
    if named is None:
        message = f"{arn!r} is not an ARN of CodeDeploy."
        raise ApiError("InvalidArnException", message)
    request = {"applicationName": named["application"]}
    match named["kind"], named["group"]:
        case "application", None:
            return context.application(request).tags
        case "deploymentgroup", str(group):
            return context.group({**request, "deploymentGroupName": group}).tags
    message = f"{arn!r} names neither an application nor a deployment group."
    raise ApiError("ArnNotSupportedException", message)


RESERVED = "CodeDeployDefault."
MOST_CONFIGS = 1000
LIMITS = {
    "TimeBasedCanary": ("timeBasedCanary", "canaryPercentage", "canaryInterval"),
    "TimeBasedLinear": ("timeBasedLinear", "linearPercentage", "linearInterval"),
}


def _create_config(context: CodeDeployContext, request: Request) -> Response:
    name = request["deploymentConfigName"]
    if name.startswith(RESERVED):
        message = f"{RESERVED} is reserved for AWS's own configurations."
        raise ApiError("InvalidDeploymentConfigNameException", message)
    if name in context.registry.configs:
        message = f"Deployment configuration already exists with name: {name}"
        raise ApiError("DeploymentConfigAlreadyExistsException", message)
    if request.get("computePlatform") != "ECS":
        message = "The rehearsal supports the ECS platform only."
        raise ApiError("InvalidComputePlatformException", message)
    if len(context.registry.configs) >= MOST_CONFIGS:
        message = f"An emulator keeps at most {MOST_CONFIGS} deployment configurations."
        raise ApiError("DeploymentConfigLimitExceededException", message)
    config = {
        "deploymentConfigId": str(uuid.uuid4()),
        "deploymentConfigName": name,
        "computePlatform": "ECS",
        "createTime": context.engine.clock(),
        "trafficRoutingConfig": _checked_routing(
            request.get("trafficRoutingConfig") or {}
        ),
    }
    context.registry.configs[name] = config
    return {"deploymentConfigId": config["deploymentConfigId"]}


def _get_config(context: CodeDeployContext, request: Request) -> Response:
    config = context.config(request["deploymentConfigName"])
    return {"deploymentConfigInfo": config}


def _list_configs(context: CodeDeployContext, request: Request) -> Response:
    return paged(request, "deploymentConfigsList", sorted(context.registry.configs))


def _delete_config(context: CodeDeployContext, request: Request) -> None:
    name = request["deploymentConfigName"]
    if name.startswith(RESERVED):
        message = f"{name} is AWS's own and cannot be deleted."
        raise ApiError("InvalidOperationException", message)
    context.registry.configs.pop(name, None)


def _checked_routing(routing: dict[str, Any]) -> dict[str, Any]:
    code = "InvalidTrafficRoutingConfigurationException"
    kind = routing.get("type")
    if kind is None:
        message = "For ECS, a deployment configuration needs a trafficRoutingConfig."
        raise ApiError(code, message)
    if kind == "AllAtOnce":
        return {"type": "AllAtOnce"}
    if kind not in LIMITS:
        raise ApiError(code, f"{kind!r} is not a type of traffic routing.")
    member, percentage, interval = LIMITS[kind]
    given = routing.get(member) or {}
    if not 1 <= given.get(percentage, 0) <= 99 or given.get(interval, -1) < 0:
        message = f"{member} needs {percentage} of 1 to 99 and {interval} in minutes."
        raise ApiError(code, message)
    return {"type": kind, member: given}


OPERATIONS: Mapping[str, CodeDeployOperation] = {
    "CreateApplication": _create,
    "GetApplication": _get,
    "BatchGetApplications": _batch_get,
    "ListApplications": _list_all,
    "UpdateApplication": _update,
    "DeleteApplication": _delete,
    "TagResource": _tag_resource,
    "UntagResource": _untag_resource,
    "ListTagsForResource": _list_tags,
    "CreateDeploymentConfig": _create_config,
    "GetDeploymentConfig": _get_config,
    "ListDeploymentConfigs": _list_configs,
    "DeleteDeploymentConfig": _delete_config,
}
