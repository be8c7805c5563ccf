"""What CodeDeploy checks of a deployment group before it takes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.codedeploy.model.vocabulary import AutoRollbackEvent
from rehearsal.endpoint.errors import ApiError

Settings = Mapping[str, Any]
ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,576}")
MAX_TERMINATION_WAIT = 2880  # minutes, by the API's model
MAX_ALARMS = 10
MAX_ALARM_NAME = 255
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

    GetDeploymentGroup tells them, and `aws ecs deploy` reads both.
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
        _check_rollback,
        _check_alarms,
        _check_triggers,
    )
    for check in checks:
        check(settings)
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
            "For ECS deployment group, ecsServices must hold exactly one service with "
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
        raise ApiError(code, f"{termination['action']!r} is no termination action.")
    wait = termination.get("terminationWaitTimeInMinutes", 0)
    if not 0 <= wait <= MAX_TERMINATION_WAIT:
        message = f"terminationWaitTimeInMinutes is 0 to {MAX_TERMINATION_WAIT}."
        raise ApiError(code, message)
    ready = config.get("deploymentReadyOption") or {}
    action = ready.get("actionOnTimeout", "CONTINUE_DEPLOYMENT")
    if action not in {"CONTINUE_DEPLOYMENT", "STOP_DEPLOYMENT"}:
        raise ApiError(code, f"{action!r} is no actionOnTimeout.")


def _check_role(settings: Settings) -> None:
    role = settings["serviceRoleArn"]
    if not ROLE.fullmatch(role):
        message = f"serviceRoleArn is the ARN of an IAM role, not {role!r}."
        raise ApiError("InvalidRoleException", message)


def _check_rollback(settings: Settings) -> None:
    check_rollback(settings.get("autoRollbackConfiguration") or {})


def check_rollback(rollback: Mapping[str, Any]) -> None:
    """Refuse an automatic rollback with unknown events, or enabled without any.

    Raises:
        ApiError: With the exception that the API models for what is wrong.
    """
    unknown = set(rollback.get("events") or []) - set(AutoRollbackEvent)
    if unknown or (rollback.get("enabled") and not rollback.get("events")):
        message = (
            "autoRollbackConfiguration.events must hold one or more of "
            f"{', '.join(AutoRollbackEvent)}; not {sorted(unknown)}."
        )
        raise ApiError("InvalidAutoRollbackConfigException", message)


def _check_alarms(settings: Settings) -> None:
    check_alarms(settings.get("alarmConfiguration") or {})


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
