"""How a CreateDeployment request becomes an order."""

from __future__ import annotations

from typing import Any

from rehearsal.codedeploy.api.context import Context
from rehearsal.codedeploy.appspec import parse_app_spec
from rehearsal.codedeploy.engine import Engine
from rehearsal.codedeploy.model.order import Order, Routes, Service, Waits
from rehearsal.codedeploy.model.shifting import schedule
from rehearsal.codedeploy.model.vocabulary import AutoRollbackEvent, DeploymentStatus
from rehearsal.codedeploy.registry import Group
from rehearsal.codedeploy.revisions import Revision

SHOWN_SETTINGS = (
    "deploymentStyle",
    "blueGreenDeploymentConfiguration",
    "loadBalancerInfo",
)


def order_for(
    deployment_id: str,
    request: dict[str, Any],
    group: Group,
    revision: Revision,
    context: Context,
) -> Order:
    """Everything a deployment needs to know, taken from the group as it now is.

    Args:
        deployment_id: The new deployment's id.
        request: CreateDeployment's members; they override the group's.
        group: The deployment group.
        revision: The revision to deploy.
        context: Knows the configurations and the deployments that came before.
    """
    settings = {**group.settings, **request}
    config = settings["deploymentConfigName"]
    rollback = settings.get("autoRollbackConfiguration") or {}
    alarms = (
        request.get("overrideAlarmConfiguration")
        or group.settings.get("alarmConfiguration")
        or {}
    )
    service = group.settings["ecsServices"][0]
    shown = {name: group.settings.get(name) for name in SHOWN_SETTINGS}
    return Order(
        deployment_id=deployment_id,
        application=group.application,
        group=group.name,
        service=Service(cluster=service["clusterName"], name=service["serviceName"]),
        routes=_routes(group.settings["loadBalancerInfo"]),
        app_spec=parse_app_spec(revision.content),
        revision=revision.location,
        previous_revision=_previous(context.engine, group),
        created_at=context.engine.clock.now(),
        config=config,
        description=request.get("description"),
        shift=schedule(context.registry.configs[config]["trafficRoutingConfig"]),
        waits=_waits(group.settings["blueGreenDeploymentConfiguration"]),
        rolls_back_on=_events(rollback),
        alarms=_names(alarms),
        ignores_poll_failure=bool(alarms.get("ignorePollAlarmFailure")),
        group_settings={
            **shown,
            "autoRollbackConfiguration": rollback or None,
            "overrideAlarmConfiguration": request.get("overrideAlarmConfiguration"),
        },
    )


def _routes(info: dict[str, Any]) -> Routes:
    pair = info["targetGroupPairInfoList"][0]
    first, second = (group["name"] for group in pair["targetGroups"])
    test = pair.get("testTrafficRoute")
    return Routes(
        production=pair["prodTrafficRoute"]["listenerArns"][0],
        test=test["listenerArns"][0] if test else None,
        target_groups=(first, second),
    )


def _waits(config: dict[str, Any]) -> Waits:
    termination = config.get("terminateBlueInstancesOnDeploymentSuccess") or {}
    ready = config.get("deploymentReadyOption") or {}
    stops = ready.get("actionOnTimeout") == "STOP_DEPLOYMENT"
    return Waits(
        ready=float(ready.get("waitTimeInMinutes", 0)) if stops else None,
        termination=float(termination.get("terminationWaitTimeInMinutes", 0)),
        keep_blue=termination.get("action") == "KEEP_ALIVE",
    )


def _events(rollback: dict[str, Any]) -> frozenset[AutoRollbackEvent]:
    if not rollback.get("enabled"):
        return frozenset()
    return frozenset(AutoRollbackEvent(event) for event in rollback.get("events") or [])


def _names(alarms: dict[str, Any]) -> tuple[str, ...]:
    if not alarms.get("enabled"):
        return ()
    return tuple(alarm["name"] for alarm in alarms.get("alarms") or [])


def _previous(engine: Engine, group: Group) -> Any:
    before = engine.deployments(group.application, group.name)
    done = [d for d in before if d.status is DeploymentStatus.SUCCEEDED]
    return done[-1].order.revision if done else None
