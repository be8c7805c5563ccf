"""From moto's target groups and listeners to the data plane's settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rehearsal.data_plane import (
    Action,
    Certificate,
    Condition,
    FixedResponse,
    Forward,
    HealthCheck,
    HostHeader,
    HttpHeader,
    HttpRequestMethod,
    ListenerRule,
    ListenerSettings,
    PathPattern,
    Protocol,
    QueryString,
    Redirect,
    SourceIp,
    TargetGroupSettings,
)

DRAINING = "deregistration_delay.timeout_seconds"


class UntranslatableError(ValueError):
    """Something configured in ELBv2 that the data plane cannot do."""


def target_group(group: Any, pace: float) -> TargetGroupSettings:
    """A target group of moto's as the data plane wants it.

    Args:
        group: Moto's target group.
        pace: What the health check's interval is multiplied by.
    """
    protocol = Protocol(group.protocol)
    check_protocol = Protocol(group.health_check_protocol or protocol)
    port = str(group.health_check_port)
    matcher = getattr(group, "matcher", None) or {}
    return TargetGroupSettings(
        arn=group.arn,
        name=group.name,
        protocol=protocol,
        deregistration_delay=float(group.attributes[DRAINING]),
        health_check=HealthCheck(
            protocol=check_protocol,
            path=group.health_check_path or "/",
            matcher=str(matcher.get("HttpCode") or "200"),
            interval=float(group.health_check_interval_seconds) * pace,
            timeout=float(group.health_check_timeout_seconds),
            healthy_threshold=int(group.healthy_threshold_count),
            unhealthy_threshold=int(group.unhealthy_threshold_count),
            port=int(port) if port.isdigit() else None,
        ),
    )


def listener(found: Any, certificates: Sequence[Certificate]) -> ListenerSettings:
    """A listener of moto's, with its rules, as the data plane wants it.

    Args:
        found: Moto's listener.
        certificates: What an encrypted listener presents, the default first.

    Raises:
        UntranslatableError: The data plane cannot do what it asks for.
    """
    protocol = Protocol(found.protocol)
    rules = [rule for rule in found.rules.values() if not rule.is_default]
    try:
        return ListenerSettings(
            arn=found.arn,
            protocol=protocol,
            port=int(found.port),
            default_action=_action(found.default_actions),
            rules=tuple(_rule(rule) for rule in rules),
            certificate=certificates[0] if certificates else None,
            more_certificates=tuple(certificates[1:]),
        )
    except ValueError as error:
        raise UntranslatableError(str(error)) from error


def _rule(rule: Any) -> ListenerRule:
    return ListenerRule(
        priority=int(rule.priority),
        conditions=tuple(_condition(condition) for condition in rule.conditions),
        action=_action(rule.actions),
    )


def _action(actions: list[Any]) -> Action:
    data = actions[-1].data
    match data["Type"]:
        case "forward":
            return Forward(weights=forward_weights(data))
        case "fixed-response":
            fixed = data.get("FixedResponseConfig") or {}
            return FixedResponse(
                status=int(fixed["StatusCode"]),
                content_type=fixed.get("ContentType") or "text/plain",
                body=str(fixed.get("MessageBody") or "").encode(),
            )
        case "redirect":
            return _redirect(data["RedirectConfig"])
    raise UntranslatableError(f"the rehearsal has no action of type {data['Type']!r}")


def forward_weights(action: Mapping[str, Any]) -> dict[str, int]:
    """The weights of a forward action, in either of the two forms it may have."""
    config = action.get("ForwardConfig") or {}
    groups = config.get("TargetGroups") or []
    if not groups:
        return {action["TargetGroupArn"]: 1}
    return {group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in groups}


def _redirect(config: Mapping[str, Any]) -> Redirect:
    names = {"Protocol", "Host", "Port", "Path", "Query"}
    given = {name.lower(): str(config[name]) for name in names if config.get(name)}
    status = int(config["StatusCode"].removeprefix("HTTP_"))
    return Redirect(status=status, **given)


def _condition(condition: Mapping[str, Any]) -> Condition:
    field = condition["Field"]
    if field == "query-string":
        pairs = condition["QueryStringConfig"]["Values"]
        return QueryString(values=tuple((p.get("Key"), p["Value"]) for p in pairs))
    if field == "http-header":
        config = condition["HttpHeaderConfig"]
        return HttpHeader(name=config["HttpHeaderName"], values=tuple(config["Values"]))
    if field not in _PLAIN:
        raise UntranslatableError(f"the rehearsal has no condition {field!r}")
    member, make = _PLAIN[field]
    values = condition.get("Values") or (condition.get(member) or {}).get("Values")
    return make(values=tuple(values or ()))


_PLAIN: Mapping[str, tuple[str, Callable[..., Condition]]] = {
    "host-header": ("HostHeaderConfig", HostHeader),
    "path-pattern": ("PathPatternConfig", PathPattern),
    "http-request-method": ("HttpRequestMethodConfig", HttpRequestMethod),
    "source-ip": ("SourceIpConfig", SourceIp),
}
