"""Carry out effects of deployments through ECS, ELBv2, Lambda and CloudWatch."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from hookgate_rehearsal.codedeploy.model.deployment import (
    Deployment,
    DeploymentTaskSet,
    ErrorCode,
    Failure,
    TaskSetLabel,
)
from hookgate_rehearsal.codedeploy.model.signals import (
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
    Surveyed,
    TaskSetCreated,
    TaskSetObserved,
)
from hookgate_rehearsal.codedeploy.settings import Assumptions

_TYPES = {"MetricAlarm": "MetricAlarms", "CompositeAlarm": "CompositeAlarms"}


_LOGGER = logging.getLogger(__name__)

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


class AwsExecutor:
    """Carries out effects through AWS's APIs.

    Args:
        ecs, elbv2, cloudwatch: Boto3 clients.
        functions: A boto3 client of Lambda, which may be any Lambda endpoint.
        assumptions: The unverified behavior.
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
        self._cloudwatch = cloudwatch
        self._functions = functions
        self._assumptions = assumptions

    def carry_out(self, deployment: Deployment, effect: Effect) -> Signal:
        """Carry out an effect; every error is a refusal."""
        try:
            return self._carry_out(deployment, effect)
        except EffectError as error:
            failure = Failure(code=error.code, message=str(error))
        except (ClientError, BotoCoreError) as error:
            failure = self._failure(effect, error)
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
                return self._poll(effect)
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

    def _poll(self, effect: PollAlarms) -> AlarmsPolled:
        found = self._cloudwatch.describe_alarms(
            AlarmNames=list(effect.names), AlarmTypes=list(_TYPES)
        )
        alarms = [each for name in _TYPES.values() for each in found.get(name, [])]
        return AlarmsPolled(states={a["AlarmName"]: a["StateValue"] for a in alarms})

    def _failure(self, effect: Effect, error: ClientError | BotoCoreError) -> Failure:
        code, message = effect.code, str(error)
        response = error.response if isinstance(error, ClientError) else {}
        if response.get("Error", {}).get("Code") in DENIED:
            code = ErrorCode.IAM_ROLE_PERMISSIONS
            message = (
                "The IAM role of CodeDeploy does not give you permission to perform "
                f"operations in the following AWS service: {effect.service}. {error}"
            )
        elif isinstance(effect, InvokeHook):
            code = self._assumptions.hook_not_invokable_code
            message = (
                f"The function {effect.function} of {effect.event} cannot be invoked: "
                f"{error}"
            )
        elif isinstance(effect, PollAlarms):
            code = self._assumptions.alarm_poll_failure_code
        return Failure(code=code, message=message)


class EffectError(Exception):
    """A resource is not as CodeDeploy needs it; the message says what to do."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


def _target_groups(elbv2: Any, deployment: Deployment) -> dict[str, str]:
    """The ARNs of the deployment group's target groups, by name."""
    names = list(deployment.order.routes.target_groups)
    found = elbv2.describe_target_groups(Names=names)["TargetGroups"]
    return {group["TargetGroupName"]: group["TargetGroupArn"] for group in found}


Weights = Mapping[str, int]

ALL = 100


class Listeners:
    """Sets the weights of a listener and of its rules that forward to the pair."""

    def __init__(self, elbv2: Any) -> None:
        self._elbv2 = elbv2

    def route_test(self, deployment: Deployment, label: TaskSetLabel) -> None:
        """Forward the test listener to one task set only."""
        listener = deployment.order.routes.test
        assert listener is not None  # noqa: S101 - the machine asks only where one is
        green = ALL if label is TaskSetLabel.GREEN else 0
        self._route(listener, self._weights(deployment, green))

    def route_production(self, deployment: Deployment, green_weight: float) -> None:
        """Give green its share of production traffic."""
        listener = deployment.order.routes.production
        weights = self._weights(deployment, round(green_weight))
        actions = [rule["Actions"] for rule in self._rules(listener)]
        if not any(_forwards(each, weights) for each in actions):
            raise _not_behind(deployment)
        self._route(listener, weights)

    def withdraw(self, deployment: Deployment) -> None:
        """Give blue the production traffic that an earlier deployment left on green.

        Raises:
            EffectError: Blue gets no production traffic.
        """
        listener = deployment.order.routes.production
        weights = self._weights(deployment, 0)
        shares: Counter[str] = Counter()  # over all rules; only zero has a meaning
        for rule in self._rules(listener):
            for action in rule["Actions"]:
                shares.update(_weighted(action))
        (blue,) = (arn for arn, weight in weights.items() if weight)
        if not shares[blue]:
            raise _not_behind(deployment)
        if any(shares[arn] for arn in weights if arn != blue):
            self._route(listener, weights)

    def _weights(self, deployment: Deployment, green: int) -> dict[str, int]:
        arns = _target_groups(self._elbv2, deployment)
        blue = arns.pop(_known(deployment.blue).target_group)
        (other,) = arns.values()
        return {other: green, blue: ALL - green}

    def _route(self, listener: str, weights: Weights) -> None:
        """Change every forward to the pair; the default action if there is none."""
        is_changed = False
        for rule in self._rules(listener):
            if rule["IsDefault"] or not _forwards(rule["Actions"], weights):
                continue
            actions = _rerouted(rule["Actions"], weights)
            self._elbv2.modify_rule(RuleArn=rule["RuleArn"], Actions=actions)
            is_changed = True
        found = self._elbv2.describe_listeners(ListenerArns=[listener])["Listeners"]
        default = list(found[0]["DefaultActions"])
        if _forwards(default, weights) or not is_changed:
            actions = _rerouted(default, weights)
            self._elbv2.modify_listener(ListenerArn=listener, DefaultActions=actions)

    def _rules(self, listener: str) -> list[dict[str, Any]]:
        return list(self._elbv2.describe_rules(ListenerArn=listener)["Rules"])


def _forwards(actions: list[dict[str, Any]], weights: Weights) -> bool:
    """Whether the actions forward to a target group of the pair."""
    return any(arn in weights for action in actions for arn in _weighted(action))


def _weighted(action: dict[str, Any]) -> dict[str, int]:
    """The target groups that an action forwards to, with their weights."""
    if action["Type"] != "forward":
        return {}
    found = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    weights = {each["TargetGroupArn"]: each.get("Weight", 1) for each in found}
    # Beside a ForwardConfig of one group AWS repeats that group's ARN.
    return weights or {action["TargetGroupArn"]: ALL}


def _not_behind(deployment: Deployment) -> EffectError:
    """Source: the user guide's troubleshooting page for ECS, for the message."""
    blue = deployment.blue
    message = (
        "The ELB could not be updated due to the following error: Primary taskset "
        "target group must be behind listener. The listener does not forward to "
        f"{blue.target_group if blue else 'it'}."
    )
    return EffectError(ErrorCode.ELASTIC_LOAD_BALANCING_INVALID, message)


def _rerouted(actions: list[dict[str, Any]], weights: Weights) -> list[dict[str, Any]]:
    """The actions with the forward to the pair in the weighted form.

    A captured listener has both target groups after CodeDeploy touched it, the idle
    one with weight 0, and no ``TargetGroupArn`` beside them.
    """
    others = [action for action in actions if action["Type"] != "forward"]
    kept = [action for action in others if action["Type"].startswith("authenticate")]
    groups = [{"TargetGroupArn": arn, "Weight": each} for arn, each in weights.items()]
    configs = [action.get("ForwardConfig") or {} for action in actions]
    stickiness = (each.get("TargetGroupStickinessConfig") for each in configs)
    sticky = next(filter(None, stickiness), {"Enabled": False})
    config = {"TargetGroups": groups, "TargetGroupStickinessConfig": sticky}
    return [*kept, {"Type": "forward", "ForwardConfig": config}]


MOST_TASKS = 100


class TaskSets:
    """Reads services, creates and deletes task sets.

    ECS has target groups by ARN, CodeDeploy by name.
    """

    def __init__(self, ecs: Any, elbv2: Any) -> None:
        self._ecs = ecs
        self._elbv2 = elbv2

    def survey(self, deployment: Deployment) -> Surveyed:
        """Find the PRIMARY task set, which is blue, and the target group for green."""
        order = deployment.order
        service = self._service(deployment)
        found = [each for each in service["taskSets"] if each["status"] == "PRIMARY"]
        if len(found) != 1:
            message = f"The ECS service {order.service.name} has no PRIMARY task set."
            raise EffectError(ErrorCode.INVALID_ECS_SERVICE, message)
        groups = _target_groups(self._elbv2, deployment)
        names = {arn: name for name, arn in groups.items()}
        arn = found[0]["loadBalancers"][0]["targetGroupArn"]
        if arn not in names:
            message = (
                f"The PRIMARY task set of {order.service.name} is behind {arn}, which "
                f"is none of the deployment group's: {', '.join(sorted(groups))}."
            )
            raise EffectError(ErrorCode.INVALID_ECS_SERVICE, message)
        (free,) = set(groups) - {names[arn]}
        blue = _task_set(found[0], TaskSetLabel.BLUE, names[arn], weight=100.0)
        return Surveyed(blue=blue, green_group=free)

    def clear(self, deployment: Deployment) -> None:
        """Delete task sets of earlier deployments on the replacement's target group."""
        assert deployment.green_group is not None  # noqa: S101 - the survey comes before
        arn = _target_groups(self._elbv2, deployment)[deployment.green_group]
        names = self._names(deployment)
        for each in self._service(deployment)["taskSets"]:
            groups = [one["targetGroupArn"] for one in each["loadBalancers"]]
            if each["status"] == "ACTIVE" and arn in groups:
                self._ecs.delete_task_set(**names, taskSet=each["taskSetArn"])

    def create(self, deployment: Deployment) -> TaskSetCreated:
        """Create the replacement with the options of the AppSpec and the original."""
        order, blue = deployment.order, _known(deployment.blue)
        assert deployment.green_group is not None  # noqa: S101 - as above
        spec = order.app_spec
        group = _target_groups(self._elbv2, deployment)[deployment.green_group]
        original = self._describe(deployment, blue.arn)
        kept = ("launchType", "platformVersion", "networkConfiguration")
        options = {name: original[name] for name in kept if original.get(name)}
        if "capacityProviderStrategy" in spec.task_set_options:
            options.pop("launchType", None)
        made = self._ecs.create_task_set(
            **self._names(deployment),
            externalId=deployment.id,
            taskDefinition=spec.task_definition,
            loadBalancers=[
                {
                    "targetGroupArn": group,
                    "containerName": spec.container_name,
                    "containerPort": spec.container_port,
                }
            ],
            scale={"value": 100.0, "unit": "PERCENT"},
            **{**options, **spec.task_set_options},
        )["taskSet"]
        green = _task_set(made, TaskSetLabel.GREEN, deployment.green_group)
        return TaskSetCreated(green=green)

    def observe(self, deployment: Deployment) -> TaskSetObserved:
        """Read the replacement and its stopped tasks."""
        seen = self._describe(deployment, _known(deployment.green).arn)
        stopped = self._stopped(deployment)
        reasons = [task.get("stoppedReason", "") for task in stopped]
        return TaskSetObserved(
            desired=seen["computedDesiredCount"],
            pending=seen["pendingCount"],
            running=seen["runningCount"],
            is_steady=seen["stabilityStatus"] == "STEADY_STATE",
            stopped=len(stopped),
            reason=reasons[-1] if reasons else "",
        )

    def make_primary(self, deployment: Deployment, label: TaskSetLabel) -> None:
        """Make a task set PRIMARY."""
        names = self._names(deployment)
        arn = _known(deployment.task_set(label)).arn
        self._ecs.update_service_primary_task_set(**names, primaryTaskSet=arn)

    def delete(self, deployment: Deployment, label: TaskSetLabel) -> None:
        """Drain and delete a task set."""
        arn = _known(deployment.task_set(label)).arn
        self._ecs.delete_task_set(**self._names(deployment), taskSet=arn)

    def _names(self, deployment: Deployment) -> dict[str, str]:
        service = deployment.order.service
        return {"cluster": service.cluster, "service": service.name}

    def _service(self, deployment: Deployment) -> dict[str, Any]:
        service = deployment.order.service
        found = self._ecs.describe_services(
            cluster=service.cluster, services=[service.name]
        )["services"]
        if not found:
            message = f"There is no ECS service {service.target_id}."
            raise EffectError(ErrorCode.INVALID_ECS_SERVICE, message)
        controller = found[0].get("deploymentController", {}).get("type")
        if controller != "CODE_DEPLOY":
            message = (
                f"The ECS service {service.name} has the deployment controller "
                f"{controller}; CodeDeploy deploys those with CODE_DEPLOY."
            )
            raise EffectError(ErrorCode.INVALID_ECS_SERVICE, message)
        return dict(found[0])

    def _describe(self, deployment: Deployment, arn: str) -> dict[str, Any]:
        names = self._names(deployment)
        found = self._ecs.describe_task_sets(**names, taskSets=[arn])["taskSets"]
        if not found:
            message = f"The task set {arn} is gone."
            raise EffectError(ErrorCode.ECS_UPDATE_ERROR, message)
        return dict(found[0])

    def _stopped(self, deployment: Deployment) -> list[dict[str, Any]]:
        service, green = deployment.order.service, deployment.green
        arns = self._ecs.list_tasks(
            cluster=service.cluster,
            serviceName=service.name,
            startedBy=green.id if green else "",
            desiredStatus="STOPPED",
        )["taskArns"][-MOST_TASKS:]
        if not arns:
            return []
        tasks = self._ecs.describe_tasks(cluster=service.cluster, tasks=arns)["tasks"]
        return list(tasks)


def _known(task_set: DeploymentTaskSet | None) -> DeploymentTaskSet:
    assert task_set is not None  # noqa: S101 - the machine requests known ones only
    return task_set


def _task_set(
    found: dict[str, Any], label: TaskSetLabel, group: str, weight: float = 0.0
) -> DeploymentTaskSet:
    return DeploymentTaskSet(
        label=label,
        arn=found["taskSetArn"],
        target_group=group,
        task_definition=found["taskDefinition"],
        status=found["status"],
        weight=weight,
        desired=found["computedDesiredCount"],
        pending=found["pendingCount"],
        running=found["runningCount"],
    )
