"""Deployments and their targets: create, describe, list, stop, and report a hook.

A deployment has one target, its ECS service. The operations on instances are of the
EC2/on-premises platform; an account without that platform has no instances.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hookgate_rehearsal.codedeploy.api.context import (
    CodeDeployContext,
    CodeDeployOperation,
    Request,
    Response,
    check_alarms,
    check_rollback,
    checked_id,
    one_of,
    paged,
)
from hookgate_rehearsal.codedeploy.api.revisions import register, without_content
from hookgate_rehearsal.codedeploy.appspec import parse_app_spec
from hookgate_rehearsal.codedeploy.engine import GroupIsBusyError
from hookgate_rehearsal.codedeploy.model.deployment import (
    AutoRollbackEvent,
    Deployment,
    DeploymentStatus,
    DeploymentTaskSet,
    ErrorCode,
    Event,
    EventStatus,
    Failure,
    Order,
    Routes,
    Service,
    Waits,
    WaitType,
    schedule,
)
from hookgate_rehearsal.codedeploy.model.signals import (
    Continued,
    Reported,
    StopRequested,
)
from hookgate_rehearsal.codedeploy.registry import (
    DeploymentGroup,
    Revision,
)
from hookgate_rehearsal.codedeploy.settings import EngineSettings
from hookgate_rehearsal.endpoint.protocols import ApiError

SHOWN_SETTINGS = (
    "deploymentStyle",
    "blueGreenDeploymentConfiguration",
    "loadBalancerInfo",
)


def order_for(
    deployment_id: str,
    request: Request,
    group: DeploymentGroup,
    revision: Revision,
    context: CodeDeployContext,
) -> Order:
    """Build the order of a deployment from the current settings of its group.

    Args:
        deployment_id: The new deployment's id.
        request: CreateDeployment's members; they override the group's.
        group: The deployment group.
        revision: The revision to deploy.
        context: Has the configurations and the earlier deployments.
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
        previous_revision=context.target_revision(group),
        created_at=context.engine.clock(),
        config=config,
        description=request.get("description"),
        shift=schedule(context.config(config)["trafficRoutingConfig"]),
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


MOST_AT_ONCE = 25  # by the API's model


def _create(context: CodeDeployContext, request: Request) -> Response:
    application, group = context.application(request), context.group(request)
    _check_request(context, request)
    revision = register(context, application, request["revision"])
    try:
        deployment = context.engine.submit(
            lambda new_id: order_for(new_id, request, group, revision, context)
        )
    except GroupIsBusyError as error:
        message = (
            f"The Deployment Group '{group.name}' already has an active "
            f"Deployment '{error}'"
        )
        raise ApiError("DeploymentLimitExceededException", message) from error
    return {"deploymentId": deployment.id}


def _get(context: CodeDeployContext, request: Request) -> Response:
    deployment = context.deployment(request)
    return {"deploymentInfo": deployment_info(deployment, context.engine.settings)}


def _batch_get(context: CodeDeployContext, request: Request) -> Response:
    if len(request["deploymentIds"]) > MOST_AT_ONCE:
        message = f"At most {MOST_AT_ONCE} deployments can be asked for at once."
        raise ApiError("BatchLimitExceededException", message)
    # The operation models no error for an unknown deployment: it is left out.
    found = (context.engine.get(checked_id(one)) for one in request["deploymentIds"])
    infos = [deployment_info(one, context.engine.settings) for one in found if one]
    return {"deploymentsInfo": infos}


def _check_request(context: CodeDeployContext, request: Request) -> None:
    if "revision" not in request:
        message = "revision is missing: what is to be deployed?"
        raise ApiError("RevisionRequiredException", message)
    if "deploymentConfigName" in request:
        context.config(request["deploymentConfigName"])
    check_rollback(request.get("autoRollbackConfiguration") or {})
    check_alarms(request.get("overrideAlarmConfiguration") or {})


def _list(context: CodeDeployContext, request: Request) -> Response:
    """The ids that match, the newest first."""
    application = group = None
    if "applicationName" in request:
        application = context.application(request).name
        group = context.group(request).name
    elif "deploymentGroupName" in request:
        message = "applicationName is missing: whose deployment group is it?"
        raise ApiError("ApplicationNameRequiredException", message)
    statuses = request.get("includeOnlyStatuses") or list(DeploymentStatus)
    unknown = set(statuses) - {*DeploymentStatus, "Baking"}
    if unknown:
        message = f"{sorted(unknown)} are not deployment statuses."
        raise ApiError("InvalidDeploymentStatusException", message)
    times = request.get("createTimeRange") or {}
    start, end = times.get("start") or 0.0, times.get("end") or float("inf")
    if start > end:
        message = "createTimeRange ends before it starts."
        raise ApiError("InvalidTimeRangeException", message)
    found = context.engine.deployments(application, group)
    ids = [
        deployment.id
        for deployment in reversed(found)
        if deployment.status in statuses
        and start <= round(deployment.order.created_at, 6) <= end  # as clients
    ]
    return paged(request, "deployments", ids)


def _stop(context: CodeDeployContext, request: Request) -> Response:
    engine = context.engine
    with engine.changed:
        deployment = context.active(request)
        is_running = deployment.running_event is not None
        failure = Failure(
            code=ErrorCode.MANUAL_STOP,
            message="The deployment was stopped by a call to StopDeployment.",
        )
        stop = StopRequested(
            failure=failure,
            cause=AutoRollbackEvent.STOP_ON_REQUEST,
            rolls_back=request.get("autoRollbackEnabled"),
        )
        engine.signal(deployment.id, stop)
    if is_running and engine.settings.assumptions.stop_answers_pending:
        message = "The deployment is stopping; a lifecycle event was in progress."
        return {"status": "Pending", "statusMessage": message}
    return {"status": "Succeeded", "statusMessage": "The deployment was stopped."}


def _continue(context: CodeDeployContext, request: Request) -> None:
    engine = context.engine
    code = "InvalidDeploymentWaitTypeException"
    given = one_of(request, "deploymentWaitType", tuple(WaitType), code)
    wait = WaitType(given or WaitType.READY)
    with engine.changed:
        deployment = context.active(request)
        if wait is WaitType.READY and deployment.status is not DeploymentStatus.READY:
            message = f"The deployment {deployment.id} is {deployment.status}."
            raise ApiError("DeploymentIsNotInReadyStateException", message)
        engine.signal(deployment.id, Continued(wait=wait))


def _report_hook(context: CodeDeployContext, request: Request) -> Response:
    with context.engine.changed:
        deployment = context.deployment(request)
        status = request.get("status")
        if status not in ("Succeeded", "Failed"):
            message = f"status must be Succeeded or Failed, not {status!r}."
            code = "InvalidLifecycleEventHookExecutionStatusException"
            raise ApiError(code, message)
        execution_id = request.get("lifecycleEventHookExecutionId")
        _check_running(deployment, execution_id)
        reported = Reported(
            execution_id=str(execution_id), succeeded=status == "Succeeded"
        )
        context.engine.signal(deployment.id, reported)
        return {"lifecycleEventHookExecutionId": execution_id}


def _check_running(deployment: Deployment, execution_id: str | None) -> None:
    """Refuse a foreign id, and a report for what is already over."""
    found = [e for e in deployment.events if e.execution_id == execution_id]
    if execution_id is None or not found:
        message = (
            f"The deployment {deployment.id} has no lifecycle event hook execution of "
            "that id: review the Hooks section of its AppSpec."
        )
        raise ApiError("InvalidLifecycleEventHookExecutionIdException", message)
    (event,) = found
    if event.status is not EventStatus.IN_PROGRESS:
        message = f"{event.name} of {deployment.id} is already {event.status}."
        raise ApiError("LifecycleEventAlreadyCompletedException", message)


def deployment_info(deployment: Deployment, settings: EngineSettings) -> dict[str, Any]:
    """Build ``deploymentInfo``."""
    order = deployment.order
    waits_shown = settings.assumptions.termination_wait_is_shown
    return {
        **order.group_settings,
        "applicationName": order.application,
        "deploymentGroupName": order.group,
        "deploymentConfigName": order.config,
        "deploymentId": deployment.id,
        "previousRevision": without_content(order.previous_revision),
        "revision": without_content(order.revision),
        "status": deployment.status.value,
        "errorInformation": _error(deployment),
        "createTime": order.created_at,
        "startTime": deployment.started_at,
        "completeTime": deployment.completed_at,
        "deploymentOverview": _overview(deployment),
        "description": order.description,
        "creator": order.creator.value,
        "ignoreApplicationStopFailures": False,
        "updateOutdatedInstancesOnly": False,
        "rollbackInfo": _rollback(deployment),
        "instanceTerminationWaitTimeStarted": waits_shown
        and not deployment.is_over
        and deployment.target_status is EventStatus.SUCCEEDED,
        "fileExistsBehavior": "DISALLOW",
        "deploymentStatusMessages": [],
        "computePlatform": "ECS",
    }


def _error(deployment: Deployment) -> dict[str, Any] | None:
    error = deployment.error
    if error is None:
        return None
    return {"code": error.code.value, "message": error.message}


def _overview(deployment: Deployment) -> dict[str, int] | None:
    """Counts of the one target; absent until the end, as captured from AWS."""
    if not deployment.is_over:
        return None
    names = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready")
    return {name: int(deployment.target_status == name) for name in names}


def _rollback(deployment: Deployment) -> dict[str, Any] | None:
    if deployment.rollback_id is not None:
        return {
            "rollbackDeploymentId": deployment.rollback_id,
            "rollbackMessage": f"Deployment {deployment.id} terminated. Automatic "
            f"rollback is triggered with a DeploymentId {deployment.rollback_id}.",
        }
    if deployment.order.rollback_of is not None:
        return {
            "rollbackTriggeringDeploymentId": deployment.order.rollback_of,
            "rollbackMessage": f"Deployment {deployment.id} is triggered to roll back "
            f"deployment {deployment.order.rollback_of}.",
        }
    return None


MOST_TARGETS = 25


def _get_target(context: CodeDeployContext, request: Request) -> Response:
    deployment = _started(context, request)
    return {"deploymentTarget": _target(context, deployment, request["targetId"])}


def _batch_get_targets(context: CodeDeployContext, request: Request) -> Response:
    deployment = _started(context, request)
    ids = request["targetIds"]
    if not ids:
        message = "targetIds is empty: which targets?"
        raise ApiError("DeploymentTargetIdRequiredException", message)
    if len(ids) > MOST_TARGETS:
        message = f"At most {MOST_TARGETS} targets can be asked for at once."
        raise ApiError("DeploymentTargetListSizeExceededException", message)
    targets = [_target(context, deployment, one) for one in ids]
    return {"deploymentTargets": targets}


def _list_targets(context: CodeDeployContext, request: Request) -> Response:
    deployment = _started(context, request)
    filters = request.get("targetFilters") or {}
    unknown = set(filters) - {"TargetStatus", "ServerInstanceLabel"}
    if unknown:
        message = f"{sorted(unknown)} are not target filters."
        raise ApiError("InvalidTargetFilterNameException", message)
    wanted = filters.get("TargetStatus")
    if wanted is not None and deployment.target_status not in wanted:
        return paged(request, "targetIds", [])
    return paged(request, "targetIds", [deployment.order.service.target_id])


def _started(context: CodeDeployContext, request: Request) -> Deployment:
    deployment = context.deployment(request)
    if not deployment.status.is_started:
        message = f"The deployment {deployment.id} is {deployment.status}."
        raise ApiError("DeploymentNotStartedException", message)
    return deployment


def _target(
    context: CodeDeployContext, deployment: Deployment, target_id: str
) -> dict[str, Any]:
    expected = deployment.order.service.target_id
    if target_id.count(":") != 1:
        message = (
            f"{target_id!r} is not a target id; an ECS target id is cluster:service."
        )
        raise ApiError("InvalidDeploymentTargetIdException", message)
    if target_id != expected:
        message = f"The deployment's target is {expected}, not {target_id}."
        raise ApiError("DeploymentTargetDoesNotExistException", message)
    return deployment_target(deployment, context.service_arn(deployment))


def _instances(context: CodeDeployContext, request: Request) -> None:
    deployment = context.deployment(request)
    message = (
        f"The deployment {deployment.id} is on the compute platform ECS, which has no "
        "instances; use ListDeploymentTargets and GetDeploymentTarget."
    )
    raise ApiError("InvalidComputePlatformException", message)


def _skip_wait(context: CodeDeployContext, request: Request) -> None:
    deployment = context.active(request)
    message = (
        f"The deployment {deployment.id} terminates no instances; use "
        "ContinueDeployment with deploymentWaitType TERMINATION_WAIT."
    )
    raise ApiError("UnsupportedActionForDeploymentTypeException", message)


def _list_on_premises(_: CodeDeployContext, request: Request) -> Response:
    statuses = ("Registered", "Deregistered")
    code = "InvalidRegistrationStatusException"
    one_of(request, "registrationStatus", statuses, code)
    return paged(request, "instanceNames", [])


def _get_on_premises(_: CodeDeployContext, request: Request) -> None:
    message = f"The on-premises instance {request['instanceName']} is not registered."
    raise ApiError("InstanceNotRegisteredException", message)


def _list_tokens(_: CodeDeployContext, request: Request) -> Response:
    return paged(request, "tokenNameList", [])


def deployment_target(deployment: Deployment, target_arn: str) -> dict[str, Any]:
    """Build ``deploymentTarget``."""
    task_sets = (deployment.blue, deployment.green)
    return {
        "deploymentTargetType": "ECSTarget",
        "ecsTarget": {
            "deploymentId": deployment.id,
            "targetId": deployment.order.service.target_id,
            "targetArn": target_arn,
            "lastUpdatedAt": deployment.updated_at,
            "lifecycleEvents": [_event(event) for event in deployment.events],
            "status": deployment.target_status.value,
            "taskSetsInfo": [_task_set(each) for each in task_sets if each is not None],
        },
    }


def _event(event: Event) -> dict[str, Any]:
    diagnosis = event.diagnosis
    return {
        "lifecycleEventName": event.name.value,
        "status": event.status.value,
        "startTime": event.started_at,
        "endTime": event.ended_at,
        "diagnostics": diagnosis
        and {
            "errorCode": diagnosis.value,
            "scriptName": "",
            "message": event.message,
            "logTail": "",
        },
    }


def _task_set(task_set: DeploymentTaskSet) -> dict[str, Any]:
    return {
        "identifer": task_set.id,  # misspelt in the API's own model
        "desiredCount": task_set.desired,
        "pendingCount": task_set.pending,
        "runningCount": task_set.running,
        "status": task_set.status,
        "trafficWeight": task_set.weight,
        "targetGroup": {"name": task_set.target_group},
        "taskSetLabel": task_set.label.value,
    }


OPERATIONS: Mapping[str, CodeDeployOperation] = {
    "CreateDeployment": _create,
    "GetDeployment": _get,
    "BatchGetDeployments": _batch_get,
    "ListDeployments": _list,
    "StopDeployment": _stop,
    "ContinueDeployment": _continue,
    "PutLifecycleEventHookExecutionStatus": _report_hook,
    "GetDeploymentTarget": _get_target,
    "BatchGetDeploymentTargets": _batch_get_targets,
    "ListDeploymentTargets": _list_targets,
    "ListDeploymentInstances": _instances,
    "GetDeploymentInstance": _instances,
    "BatchGetDeploymentInstances": _instances,
    "SkipWaitTimeForInstanceTermination": _skip_wait,
    "ListOnPremisesInstances": _list_on_premises,
    "GetOnPremisesInstance": _get_on_premises,
    "ListGitHubAccountTokenNames": _list_tokens,
}
