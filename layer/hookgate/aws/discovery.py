"""Discover the task sets, listeners, rules and task definition of a deployment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hookgate.aws.appspec import fetch_appspec
from hookgate.aws.codedeploy import FoundDeployment
from hookgate.codes import Code
from hookgate.context import (
    Aws,
    Container,
    DeploymentContext,
    Endpoint,
    Image,
    RuleCondition,
    Side,
    TargetGroup,
    TaskDefinition,
    TaskSet,
    known,
)
from hookgate.errors import CannotMeasure
from hookgate.model import LifecycleEvent
from hookgate.routing import read_routes

# A tag follows the last colon after the last slash: a registry may have a port.
_IMAGE = re.compile(
    r"(?P<repository>(?:[^/@]+/)*[^/:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?"
)

_SCHEME = {
    "HTTP": "http",
    "HTTPS": "https",
    "TCP": "tcp",
    "TLS": "tls",
    "TCP_UDP": "tcp",
}
_WILDCARDS = frozenset("*?")
# The conditions that a request can meet, and the keys of their values.
_CONFIG = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-header": "HttpHeaderConfig",
}


def parse_image(name: str) -> Image:
    """Parse an image's name into repository, tag and digest.

    The grammar is that of the OCI distribution specification's references.
    """
    match = _IMAGE.fullmatch(name)
    if not match:
        return Image(name=name, repository=name)
    return Image(name=name, **match.groupdict())


def fetch_task_definition(aws: Aws, name: str) -> TaskDefinition:
    """The task definition with this ARN, or family and revision."""
    response = aws("ecs", "describe_task_definition", taskDefinition=name)
    given = response["taskDefinition"]
    return TaskDefinition(
        arn=given["taskDefinitionArn"],
        family=given["family"],
        revision=int(given["revision"]),
        containers=tuple(_container(each) for each in given["containerDefinitions"]),
    )


def _container(given: Mapping[str, Any]) -> Container:
    return Container(
        name=given["name"],
        image=parse_image(given["image"]),
        ports=tuple(
            int(each["containerPort"])
            for each in given.get("portMappings", ())
            if each.get("containerPort")
        ),
        environment={e["name"]: e["value"] for e in given.get("environment", ())},
        labels=dict(given.get("dockerLabels", {})),
    )


def fetch_task_sets(aws: Aws, cluster: str, service: str) -> list[Mapping[str, Any]]:
    """The task sets of a service, as ECS describes them.

    Raises:
        CannotMeasure: the service does not exist.
    """
    response = aws("ecs", "describe_services", cluster=cluster, services=[service])
    if not response.get("services"):
        raise CannotMeasure(
            f"ECS has no service {service} in cluster {cluster}",
            code=Code.DISCOVERY_SERVICE,
        )
    return list(response["services"][0].get("taskSets", ()))


def discover(
    aws: Aws, found: FoundDeployment, event: LifecycleEvent
) -> DeploymentContext:
    """Discover the deployment's context from ECS, ELB and CodeDeploy.

    Raises:
        AccessDenied: names the missing permission and the resource.
        CannotMeasure: the responses of AWS are inconsistent.
    """
    deployment = found.deployment
    task_sets = fetch_task_sets(aws, deployment.cluster, deployment.service)
    groups = _fetch_target_groups(aws, found.target_groups)
    production, test = _fetch_endpoints(aws, (found.production, found.test), groups)
    green_set = _green(deployment.id, event, task_sets)
    others = [each for each in task_sets if each is not green_set]
    primary = _of_status("PRIMARY", others)
    blue = _side(primary, groups) if primary else None
    if green_set:
        green = _side(green_set, groups)
        blue = blue or _former_primary(green.target_group, others, groups)
    else:
        blue = blue or _first_original(aws, production, groups)
        green = Side(target_group=_other(blue.target_group, groups))
    if blue.target_group == green.target_group:
        raise CannotMeasure(
            f"original and replacement are both behind {green.target_group.name}",
            code=Code.DISCOVERY_TARGET_GROUP,
        )
    appspec = fetch_appspec(aws, deployment.application, found.revision)
    return DeploymentContext(
        event=event,
        deployment=deployment,
        blue=blue,
        green=green,
        appspec=appspec,
        task_definition=fetch_task_definition(aws, appspec.task_definition),
        test=test,
        production=production,
    )


def _green(
    deployment_id: str, event: LifecycleEvent, task_sets: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """The task set of the deployment; its external id is the deployment's id."""
    for each in task_sets:
        if each.get("externalId") == deployment_id:
            return each
    if event is LifecycleEvent.BEFORE_INSTALL:
        return None
    raise CannotMeasure(
        f"the ECS service has no task set of {deployment_id}, but Install has ended",
        code=Code.DISCOVERY_TASK_SET,
    )


def _former_primary(
    green: TargetGroup,
    others: Sequence[Mapping[str, Any]],
    groups: Mapping[str, TargetGroup],
) -> Side:
    """The original once the replacement is primary: the one in the other group."""
    group = _other(green, groups)
    left = [each for each in others if group.arn in _group_arns(each)]
    task_set = _of_status("ACTIVE", left) or _of_status("DRAINING", left)
    return _side(task_set, groups) if task_set else Side(target_group=group)


def _first_original(
    aws: Aws, production: Endpoint | None, groups: Mapping[str, TargetGroup]
) -> Side:
    """The original of a first deployment: the target group of the listener."""
    endpoint = known(production, "the production listener")
    own = endpoint.rule_arn or endpoint.listener_arn
    served = {
        arn
        for route in read_routes(aws, endpoint)
        for arn in route.serves
        if route.arn == own and arn in groups
    }
    if len(served) != 1:
        raise CannotMeasure(
            "the ECS service has no primary task set, and the production listener "
            f"does not forward to one of {_names(groups)}: the original is unknown",
            code=Code.DISCOVERY_TASK_SET,
        )
    return Side(target_group=groups[served.pop()])


def _of_status(
    status: str, task_sets: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    return next((each for each in task_sets if each.get("status") == status), None)


def _other(group: TargetGroup, groups: Mapping[str, TargetGroup]) -> TargetGroup:
    free = [each for each in groups.values() if each.arn != group.arn]
    if len(free) != 1:
        raise CannotMeasure(
            f"{_names(groups)} are not a pair: no target group remains besides "
            f"{group.name}",
            code=Code.DISCOVERY_TARGET_GROUP,
        )
    return free[0]


def _group_arns(task_set: Mapping[str, Any]) -> set[str]:
    return {
        each.get("targetGroupArn", "") for each in task_set.get("loadBalancers", ())
    }


def _names(groups: Mapping[str, TargetGroup]) -> str:
    return " or ".join(group.name for group in groups.values())


def _side(task_set: Mapping[str, Any], groups: Mapping[str, TargetGroup]) -> Side:
    for arn in _group_arns(task_set) & groups.keys():
        found = TaskSet(
            id=task_set["id"],
            arn=task_set["taskSetArn"],
            task_definition_arn=task_set["taskDefinition"],
            status=task_set["status"],
            desired_count=task_set.get("computedDesiredCount", 0),
            running_count=task_set.get("runningCount", 0),
            pending_count=task_set.get("pendingCount", 0),
        )
        return Side(target_group=groups[arn], task_set=found)
    raise CannotMeasure(
        f"task set {task_set['id']} is not behind {_names(groups)}",
        code=Code.DISCOVERY_TARGET_GROUP,
    )


def _fetch_target_groups(aws: Aws, names: Sequence[str]) -> dict[str, TargetGroup]:
    """The target groups of those names, by ARN."""
    response = aws("elbv2", "describe_target_groups", Names=list(names))
    groups = [_target_group(each) for each in response["TargetGroups"]]
    return {group.arn: group for group in groups}


def _target_group(given: Mapping[str, Any]) -> TargetGroup:
    return TargetGroup(
        arn=given["TargetGroupArn"],
        name=given["TargetGroupName"],
        protocol=given.get("Protocol", ""),
        port=given.get("Port"),
        health_check_path=given.get("HealthCheckPath"),
        health_check_interval=float(given.get("HealthCheckIntervalSeconds", 30)),
        healthy_threshold=int(given.get("HealthyThresholdCount", 5)),
        attached=bool(given.get("LoadBalancerArns")),
    )


def _fetch_endpoints(
    aws: Aws, arns: Sequence[str | None], groups: Mapping[str, TargetGroup]
) -> list[Endpoint | None]:
    """The endpoint behind each ARN of a listener or a listener rule."""
    wanted = sorted({_listener_arn(arn) for arn in arns if arn})
    response = aws("elbv2", "describe_listeners", ListenerArns=wanted)
    listeners = {each["ListenerArn"]: each for each in response["Listeners"]}
    for arn in wanted:
        if arn not in listeners:
            raise CannotMeasure(
                f"the load balancer has no listener {arn}", code=Code.DISCOVERY_LISTENER
            )
    balancers = sorted({each["LoadBalancerArn"] for each in listeners.values()})
    response = aws("elbv2", "describe_load_balancers", LoadBalancerArns=balancers)
    names = {e["LoadBalancerArn"]: e["DNSName"] for e in response["LoadBalancers"]}
    return [
        None if arn is None else _endpoint(aws, arn, listeners, names, groups)
        for arn in arns
    ]


def _endpoint(
    aws: Aws,
    arn: str,
    listeners: Mapping[str, Mapping[str, Any]],
    names: Mapping[str, str],
    groups: Mapping[str, TargetGroup],
) -> Endpoint:
    listener = listeners[_listener_arn(arn)]
    protocol = listener["Protocol"]
    if protocol not in _SCHEME:
        raise CannotMeasure(
            f"a {protocol} listener is not supported: {arn}",
            code=Code.DISCOVERY_LISTENER,
        )
    rule = _moved_rule(aws, arn, listener, groups)
    return Endpoint(
        scheme=_SCHEME[protocol],
        address=names[listener["LoadBalancerArn"]],
        port=int(listener["Port"]),
        listener_arn=listener["ListenerArn"],
        rule_arn=rule["RuleArn"] if rule else None,
        **_conditions(rule or {}),
    )


def _moved_rule(
    aws: Aws,
    arn: str,
    listener: Mapping[str, Any],
    groups: Mapping[str, TargetGroup],
) -> Mapping[str, Any] | None:
    """The rule that forwards to the pair; None when the default action does."""
    if arn == listener["ListenerArn"] and _forwards_to(
        listener["DefaultActions"], groups
    ):
        return None
    rules = aws("elbv2", "describe_rules", ListenerArn=listener["ListenerArn"])["Rules"]
    for rule in rules:
        named = arn in {rule["RuleArn"], listener["ListenerArn"]}
        if named and not rule["IsDefault"] and _forwards_to(rule["Actions"], groups):
            return dict(rule)
    raise CannotMeasure(
        f"{arn} does not forward to {_names(groups)}", code=Code.DISCOVERY_LISTENER
    )


def _forwards_to(
    actions: Sequence[Mapping[str, Any]], groups: Mapping[str, TargetGroup]
) -> bool:
    return any(
        each.get("TargetGroupArn") in groups
        for action in actions
        for each in (action, *action.get("ForwardConfig", {}).get("TargetGroups", ()))
    )


def _conditions(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Host, headers and path prefix of a request that meets the rule's conditions."""
    conditions = tuple(_condition(each) for each in rule.get("Conditions", ()))
    fields: dict[str, Any] = {"headers": {}, "conditions": conditions}
    for condition in conditions:
        if not condition.values:
            continue
        first = condition.values[0]
        if condition.field == "host-header":
            fields["host"] = _plain(condition.values)
        elif condition.field == "path-pattern":
            fields["path_prefix"] = _prefix(condition.values)
        else:
            fields["headers"][condition.name] = first.replace("*", "").replace("?", "x")
    return fields


def _condition(given: Mapping[str, Any]) -> RuleCondition:
    """A condition; without values if a request cannot be made to meet it."""
    field = given["Field"]
    config = given.get(_CONFIG.get(field, ""), {})
    values = config.get("Values") or given.get("Values") or ()
    regular = config.get("RegexValues") or given.get("RegexValues")
    return RuleCondition(
        field=field,
        values=tuple(values) if field in _CONFIG and not regular else (),
        name=config.get("HttpHeaderName", ""),
    )


def _plain(values: Sequence[str]) -> str:
    """The first value without wildcards; else a pattern, which the probe refuses.

    Without the rule's host a request could meet another rule, and reach the original.
    """
    plain = (each for each in values if not _WILDCARDS & set(each))
    return next(plain, values[0])


def _prefix(patterns: Sequence[str]) -> str:
    """The path of the first pattern that ends in ``/*`` without other wildcards."""
    ends = (each[:-2] for each in patterns if each.endswith("/*"))
    return next((each for each in ends if not _WILDCARDS & set(each)), "")


def _listener_arn(arn: str) -> str:
    """The listener's ARN of a listener's or a rule's ARN."""
    if ":listener-rule/" not in arn:
        return arn
    return arn.replace(":listener-rule/", ":listener/").rpartition("/")[0]
