"""What every operation works with, and the look-ups that they share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hookgate_rehearsal.codedeploy.engine import Engine
from hookgate_rehearsal.codedeploy.model.deployment import (
    AutoRollbackEvent,
    Deployment,
    DeploymentStatus,
)
from hookgate_rehearsal.codedeploy.registry import (
    Application,
    DeploymentGroup,
    Location,
    ReadObject,
    Registry,
)
from hookgate_rehearsal.endpoint.protocols import ApiError, BadTokenError, page

DEPLOYMENT_ID = re.compile(r"d-[A-Z0-9]{9}")
NAME = re.compile(r"[\w+=,.@-]{1,100}")

#: The number of items that CodeDeploy returns at once, and that it accepts at once.
PAGE = 100

Request = dict[str, Any]
Response = dict[str, Any]

MAX_ALARMS = 10
MAX_ALARM_NAME = 255

REQUIRED_ERRORS = {
    "applicationName": "ApplicationNameRequiredException",
    "ResourceArn": "ResourceArnRequiredException",
    "TagKeys": "TagRequiredException",
    "Tags": "TagRequiredException",
    "currentDeploymentGroupName": "DeploymentGroupNameRequiredException",
    "deploymentConfigName": "DeploymentConfigNameRequiredException",
    "deploymentGroupName": "DeploymentGroupNameRequiredException",
    "deploymentId": "DeploymentIdRequiredException",
    "deploymentIds": "DeploymentIdRequiredException",
    "instanceId": "InstanceIdRequiredException",
    "instanceIds": "InstanceIdRequiredException",
    "instanceName": "InstanceNameRequiredException",
    "revision": "RevisionRequiredException",
    "serviceRoleArn": "RoleRequiredException",
    "targetId": "DeploymentTargetIdRequiredException",
    "targetIds": "DeploymentTargetIdRequiredException",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDeployContext:
    """The engine, what is registered, and where the emulator pretends to be."""

    engine: Engine
    registry: Registry
    read_object: ReadObject
    region: str
    account: str

    def application(self, request: Request) -> Application:
        """The application that a request names."""
        name = checked_name(request["applicationName"])
        found = self.registry.applications.get(name)
        if found is None:
            message = f"No application found for name: {name}"
            raise ApiError("ApplicationDoesNotExistException", message)
        return found

    def group(
        self, request: Request, member: str = "deploymentGroupName"
    ) -> DeploymentGroup:
        """The deployment group that a request names."""
        application = self.application(request)
        name = request.get(member)
        if name is None:
            message = f"{member} is missing: which group of {application.name}?"
            raise ApiError("DeploymentGroupNameRequiredException", message)
        found = application.groups.get(name)
        if found is None:
            message = f"No Deployment Group found for name: {name}"
            raise ApiError("DeploymentGroupDoesNotExistException", message)
        return found

    def deployment(self, request: Request) -> Deployment:
        """The deployment that a request names."""
        deployment_id = request.get("deploymentId")
        if deployment_id is None:
            message = "deploymentId is missing."
            raise ApiError("DeploymentIdRequiredException", message)
        found = self.engine.get(checked_id(deployment_id))
        if found is None:
            message = (
                f"The deployment {deployment_id} could not be found in this account."
            )
            raise ApiError("DeploymentDoesNotExistException", message)
        return found

    def active(self, request: Request) -> Deployment:
        """The deployment that a request names, unless it is over."""
        deployment = self.deployment(request)
        if deployment.is_over:
            message = f"The deployment {deployment.id} is already {deployment.status}."
            raise ApiError("DeploymentAlreadyCompletedException", message)
        return deployment

    def config(self, name: str) -> Mapping[str, Any]:
        """The deployment configuration of that name."""
        if name not in self.registry.configs:
            message = f"No deployment configuration found for name: {name}"
            raise ApiError("DeploymentConfigDoesNotExistException", message)
        return self.registry.configs[name]

    def succeeded(self, group: DeploymentGroup) -> list[Deployment]:
        """The deployments of a group that Succeeded."""
        every = self.engine.deployments(group.application, group.name)
        return [d for d in every if d.status is DeploymentStatus.SUCCEEDED]

    def target_revision(self, group: DeploymentGroup) -> Location | None:
        """What a group's last deployment that Succeeded brought; None before that."""
        done = self.succeeded(group)
        return done[-1].order.revision if done else None

    def service_arn(self, deployment: Deployment) -> str:
        """The ARN of the ECS service that a deployment deploys."""
        service = deployment.order.service
        return (
            f"arn:aws:ecs:{self.region}:{self.account}:service/"
            f"{service.cluster}/{service.name}"
        )


def checked_name(name: str) -> str:
    """An application's name, unless it does not have the form of one."""
    if not NAME.fullmatch(name):
        message = f"{name!r} is not an application name: 1 to 100 letters and digits."
        raise ApiError("InvalidApplicationNameException", message)
    return name


def checked_id(deployment_id: str) -> str:
    """A deployment's id, unless it does not have the form of one."""
    if not DEPLOYMENT_ID.fullmatch(deployment_id):
        message = f"{deployment_id!r} is not a deployment id: d- and nine characters."
        raise ApiError("InvalidDeploymentIdException", message)
    return deployment_id


def one_of(request: Request, member: str, allowed: Iterable[str], code: str) -> Any:
    """A member of a request, which must be one of these values; None if missing.

    Raises:
        ApiError: With this code.
    """
    value = request.get(member)
    if value is not None and value not in allowed:
        message = f"{member} must be one of {', '.join(allowed)}, not {value!r}."
        raise ApiError(code, message)
    return value


def check_rollback(rollback: Mapping[str, Any]) -> None:
    """Refuse an automatic rollback with unknown events, or enabled without any.

    Raises:
        ApiError: With the exception that the API models for what is wrong.
    """
    unknown = set(rollback.get("events") or []) - set(AutoRollbackEvent)
    if unknown or (rollback.get("enabled") and not rollback.get("events")):
        message = (
            "autoRollbackConfiguration.events must be one or more of "
            f"{', '.join(AutoRollbackEvent)}; not {sorted(unknown)}."
        )
        raise ApiError("InvalidAutoRollbackConfigException", message)


def check_alarms(configuration: Mapping[str, Any]) -> None:
    """Refuse an alarm configuration, as InvalidAlarmConfigException's text says.

    Raises:
        ApiError: With the exception that the API models for what is wrong.
    """
    alarms = configuration.get("alarms") or []
    names = [alarm.get("name") for alarm in alarms]
    if not all(name and len(name) <= MAX_ALARM_NAME for name in names):
        message = f"An alarm's name is 1 to {MAX_ALARM_NAME} characters long."
        raise ApiError("InvalidAlarmConfigException", message)
    if len(set(names)) < len(names):
        message = f"Two alarms have the same name: {sorted(names)}."
        raise ApiError("InvalidAlarmConfigException", message)
    if configuration.get("enabled") and not alarms:
        message = "The alarm configuration is enabled, but its list of alarms is empty."
        raise ApiError("InvalidAlarmConfigException", message)
    if len(alarms) > MAX_ALARMS:
        message = f"A deployment group takes at most {MAX_ALARMS} alarms."
        raise ApiError("AlarmsLimitExceededException", message)


def paged(
    request: Mapping[str, Any],
    member: str,
    items: Sequence[Any],
    key: Callable[[Any], str] = str,
) -> dict[str, Any]:
    """A page of a list, under its member's name, with the token for the next one."""
    try:
        part, following = page(
            [key(each) for each in items], request.get("nextToken"), PAGE
        )
    except BadTokenError as error:
        raise ApiError("InvalidNextTokenException", str(error)) from error
    return {member: list(items[part]), "nextToken": following}


CodeDeployOperation = Callable[[CodeDeployContext, Request], Mapping[str, Any] | None]
"""What an operation does with a request."""
