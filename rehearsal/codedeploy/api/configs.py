"""Deployment configurations: the predefined ones for ECS, and custom ones."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from rehearsal.codedeploy.api.context import Context, ContextOperation, paged
from rehearsal.endpoint.conformity import ApiError

RESERVED = "CodeDeployDefault."
MOST_CONFIGS = 1000
LIMITS = {
    "TimeBasedCanary": ("timeBasedCanary", "canaryPercentage", "canaryInterval"),
    "TimeBasedLinear": ("timeBasedLinear", "linearPercentage", "linearInterval"),
}


def _create(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request["deploymentConfigName"]
    if name.startswith(RESERVED):
        message = f"{RESERVED} is reserved for AWS's own configurations."
        raise ApiError("InvalidDeploymentConfigNameException", message)
    if name in context.registry.configs:
        message = f"Deployment configuration already exists with name: {name}"
        raise ApiError("DeploymentConfigAlreadyExistsException", message)
    if request.get("computePlatform") != "ECS":
        message = "The rehearsal plays the ECS platform only."
        raise ApiError("InvalidComputePlatformException", message)
    if len(context.registry.configs) >= MOST_CONFIGS:
        message = f"An emulator keeps at most {MOST_CONFIGS} deployment configurations."
        raise ApiError("DeploymentConfigLimitExceededException", message)
    config = {
        "deploymentConfigId": str(uuid.uuid4()),
        "deploymentConfigName": name,
        "computePlatform": "ECS",
        "createTime": context.engine.clock.now(),
        "trafficRoutingConfig": _checked(request.get("trafficRoutingConfig") or {}),
    }
    context.registry.configs[name] = config
    return {"deploymentConfigId": config["deploymentConfigId"]}


def _get(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = request["deploymentConfigName"]
    if name not in context.registry.configs:
        message = f"No deployment configuration found for name: {name}"
        raise ApiError("DeploymentConfigDoesNotExistException", message)
    return {"deploymentConfigInfo": context.registry.configs[name]}


def _list_all(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    return paged(request, "deploymentConfigsList", sorted(context.registry.configs))


def _delete(context: Context, request: dict[str, Any]) -> None:
    name = request["deploymentConfigName"]
    if name.startswith(RESERVED):
        message = f"{name} is AWS's own and cannot be deleted."
        raise ApiError("InvalidOperationException", message)
    context.registry.configs.pop(name, None)


def _checked(routing: dict[str, Any]) -> dict[str, Any]:
    code = "InvalidTrafficRoutingConfigurationException"
    kind = routing.get("type")
    if kind is None:
        message = "For ECS, a deployment configuration needs a trafficRoutingConfig."
        raise ApiError(code, message)
    if kind == "AllAtOnce":
        return {"type": "AllAtOnce"}
    if kind not in LIMITS:
        raise ApiError(code, f"{kind!r} is no type of traffic routing.")
    member, percentage, interval = LIMITS[kind]
    given = routing.get(member) or {}
    if not 1 <= given.get(percentage, 0) <= 99 or given.get(interval, -1) < 0:
        message = f"{member} needs {percentage} of 1 to 99 and {interval} in minutes."
        raise ApiError(code, message)
    return {"type": kind, member: given}


OPERATIONS: Mapping[str, ContextOperation] = {
    "CreateDeploymentConfig": _create,
    "GetDeploymentConfig": _get,
    "ListDeploymentConfigs": _list_all,
    "DeleteDeploymentConfig": _delete,
}
