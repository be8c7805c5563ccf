"""Read listeners, target groups and the listener rule that CodeDeploy changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hookgate.codes import Code
from hookgate.context import Endpoint, RuleCondition, TargetGroup
from hookgate.errors import CannotMeasure
from hookgate.validator import Aws

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


def fetch_target_groups(aws: Aws, names: Sequence[str]) -> dict[str, TargetGroup]:
    """The target groups of those names, by ARN."""
    answer = aws("elbv2", "describe_target_groups", Names=list(names))
    groups = [_target_group(each) for each in answer["TargetGroups"]]
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


def fetch_endpoints(
    aws: Aws, arns: Sequence[str | None], groups: Mapping[str, TargetGroup]
) -> list[Endpoint | None]:
    """The endpoint behind each ARN of a listener or a listener rule.

    Args:
        aws: the calls.
        arns: a traffic route each, or None.
        groups: the pair of target groups of the route.

    Raises:
        CannotMeasure: a listener does not exist, or forwards to neither group.
    """
    wanted = sorted({_listener_arn(arn) for arn in arns if arn})
    answer = aws("elbv2", "describe_listeners", ListenerArns=wanted)
    listeners = {each["ListenerArn"]: each for each in answer["Listeners"]}
    for arn in wanted:
        if arn not in listeners:
            raise CannotMeasure(
                f"the load balancer has no listener {arn}", code=Code.DISCOVERY_LISTENER
            )
    balancers = sorted({each["LoadBalancerArn"] for each in listeners.values()})
    answer = aws("elbv2", "describe_load_balancers", LoadBalancerArns=balancers)
    names = {e["LoadBalancerArn"]: e["DNSName"] for e in answer["LoadBalancers"]}
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
    names = " or ".join(group.name for group in groups.values())
    raise CannotMeasure(
        f"{arn} does not forward to {names}", code=Code.DISCOVERY_LISTENER
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
    known = field in _CONFIG and not regular
    return RuleCondition(
        field=field,
        values=tuple(values) if known else (),
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
