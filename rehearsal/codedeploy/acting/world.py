"""Carries out the engine's effects through AWS's APIs."""

from __future__ import annotations

import json
import logging
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.codedeploy.acting.listeners import ActingError, Listeners
from rehearsal.codedeploy.acting.task_sets import TaskSets
from rehearsal.codedeploy.model.deployment import Deployment, ErrorCode, Failure
from rehearsal.codedeploy.model.signals import (
    AlarmsPolled,
    ClearTargetGroup,
    CreateTaskSet,
    DeleteTaskSet,
    Done,
    Effect,
    InvokeHook,
    MakePrimary,
    ObserveTaskSet,
    PollAlarms,
    Refused,
    RouteProductionTraffic,
    RouteTestTraffic,
    Signal,
    Survey,
)
from rehearsal.codedeploy.settings import Assumptions

_TYPES = {"MetricAlarm": "MetricAlarms", "CompositeAlarm": "CompositeAlarms"}


class AlarmStates:
    """Reads how alarms stand.

    Args:
        cloudwatch: A boto3 client.
    """

    def __init__(self, cloudwatch: Any) -> None:
        self._cloudwatch = cloudwatch

    def poll(self, names: tuple[str, ...]) -> AlarmsPolled:
        """The states of those that there are; names may be of either type."""
        answer = self._cloudwatch.describe_alarms(
            AlarmNames=list(names), AlarmTypes=list(_TYPES)
        )
        return AlarmsPolled(
            states={
                alarm["AlarmName"]: alarm["StateValue"]
                for member in _TYPES.values()
                for alarm in answer.get(member, [])
            }
        )


_LOGGER = logging.getLogger(__name__)

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


class AwsWorld:
    """The world as AWS's APIs show it.

    Args:
        ecs: A boto3 client.
        elbv2: A boto3 client.
        functions: A boto3 client of Lambda, which may be any Lambda endpoint.
        cloudwatch: A boto3 client.
        assumptions: What is unverified about CodeDeploy.
    """

    def __init__(
        self,
        *,
        ecs: Any,
        elbv2: Any,
        functions: Any,
        cloudwatch: Any,
        assumptions: Assumptions,
    ) -> None:
        self._task_sets = TaskSets(ecs, elbv2)
        self._listeners = Listeners(elbv2)
        self._alarm_states = AlarmStates(cloudwatch)
        self._functions = functions
        self._assumptions = assumptions

    def carry_out(self, deployment: Deployment, effect: Effect) -> Signal:
        """Do it; whatever goes wrong is a refusal, never silence."""
        try:
            return self._carry_out(deployment, effect)
        except ActingError as error:
            failure = Failure(code=error.code, message=error.message)
        except ClientError as error:
            failure = self._failure(effect, error)
        except BotoCoreError as error:
            failure = Failure(code=self._code(effect), message=str(error))
        except Exception as error:
            _LOGGER.exception("%s of %s", effect, deployment.id)
            failure = Failure(code=ErrorCode.INTERNAL_ERROR, message=repr(error))
        return Refused(effect=effect, failure=failure)

    def _carry_out(self, deployment: Deployment, effect: Effect) -> Signal:  # noqa: C901 - one case for each effect
        match effect:
            case Survey():
                return self._task_sets.survey(deployment)
            case ClearTargetGroup():
                self._listeners.withdraw(deployment)
                self._task_sets.clear(deployment)
            case CreateTaskSet():
                return self._task_sets.create(deployment)
            case ObserveTaskSet():
                return self._task_sets.observe(deployment)
            case InvokeHook():
                self._invoke(deployment, effect)
            case RouteTestTraffic():
                self._listeners.route_test(deployment, effect.to)
            case RouteProductionTraffic():
                self._listeners.route_production(deployment, effect.green_weight)
            case MakePrimary():
                self._task_sets.make_primary(deployment, effect.label)
            case DeleteTaskSet():
                self._task_sets.delete(deployment, effect.label)
            case PollAlarms():
                return self._alarm_states.poll(effect.names)
        return Done(effect=effect)

    def _invoke(self, deployment: Deployment, effect: InvokeHook) -> None:
        event = {
            "DeploymentId": deployment.id,
            "LifecycleEventHookExecutionId": effect.execution_id,
        }
        self._functions.invoke(
            FunctionName=effect.function,
            InvocationType="Event",
            Payload=json.dumps(event).encode(),
        )

    def _failure(self, effect: Effect, error: ClientError) -> Failure:
        details = error.response.get("Error", {})
        if details.get("Code") in DENIED:
            service = _service(effect)
            message = (
                "The IAM role of CodeDeploy does not give you permission to perform "
                f"operations in the following AWS service: {service}. {error}"
            )
            return Failure(code=ErrorCode.IAM_ROLE_PERMISSIONS, message=message)
        message = str(error)
        if isinstance(effect, InvokeHook):
            message = (
                f"The function {effect.function} of {effect.event} cannot be invoked: "
                f"{error}"
            )
        return Failure(code=self._code(effect), message=message)

    def _code(self, effect: Effect) -> ErrorCode:
        match effect:
            case InvokeHook():
                return self._assumptions.hook_not_invokable_code
            case PollAlarms():
                return self._assumptions.alarm_poll_failure_code
            case Survey():
                return ErrorCode.INVALID_ECS_SERVICE
            case RouteTestTraffic() | RouteProductionTraffic():
                return ErrorCode.ELASTIC_LOAD_BALANCING_INVALID
        return ErrorCode.ECS_UPDATE_ERROR


def _service(effect: Effect) -> str:
    """The service that an effect is about, in the words of CodeDeploy's message."""
    match effect:
        case InvokeHook():
            return "AWSLambda"
        case PollAlarms():
            return "AmazonCloudWatch"
        case RouteTestTraffic() | RouteProductionTraffic():
            return "AmazonElasticLoadBalancing"
    return "AmazonECS"
