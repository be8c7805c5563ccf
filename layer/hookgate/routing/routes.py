"""Where a listener forwards to: its default action and its rules, with weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hookgate.codes import Code
from hookgate.context import Endpoint
from hookgate.errors import CannotMeasure
from hookgate.validator import Aws


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One default action or rule.

    ``arn`` is the rule's, or the listener's for the default action. ``weights`` holds
    the target groups by ARN and is empty for what does not forward; ``actions`` says
    what it does instead.
    """

    arn: str
    name: str
    weights: Mapping[str, int]
    actions: str

    @property
    def serves(self) -> frozenset[str]:
        """The target groups that get requests."""
        return frozenset(arn for arn, weight in self.weights.items() if weight > 0)


def read_routes(aws: Aws, endpoint: Endpoint) -> tuple[Route, ...]:
    """Every route of the endpoint's listener, the default action first.

    Raises:
        CannotMeasure: there is no such listener.
    """
    arn = endpoint.listener_arn
    found = aws("elbv2", "describe_listeners", ListenerArns=[arn])["Listeners"]
    if not found:
        raise CannotMeasure(f"there is no listener {arn}", code=Code.DISCOVERY_LISTENER)
    default = _route(arn, "default action", found[0].get("DefaultActions", ()))
    if endpoint.scheme not in {"http", "https"}:
        return (default,)  # A Network Load Balancer's listener has no rules.
    rules = aws("elbv2", "describe_rules", ListenerArn=arn)["Rules"]
    return (
        default,
        *(
            _route(each["RuleArn"], f"rule {each['Priority']}", each["Actions"])
            for each in rules
            if not each.get("IsDefault")
        ),
    )


def _route(arn: str, name: str, actions: Sequence[Mapping[str, Any]]) -> Route:
    weights: dict[str, int] = {}
    for action in actions:
        if action["Type"] == "forward":
            weights.update(_weights(action))
    kinds = ", ".join(each["Type"] for each in actions) or "nothing"
    return Route(arn=arn, name=name, weights=weights, actions=kinds)


def _weights(action: Mapping[str, Any]) -> Mapping[str, int]:
    groups = action.get("ForwardConfig", {}).get("TargetGroups")
    if not groups:
        groups = [action]
    return {
        each["TargetGroupArn"]: int(each.get("Weight", 1))
        for each in groups
        if each.get("TargetGroupArn")
    }
