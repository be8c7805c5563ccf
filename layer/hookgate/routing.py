"""Where a listener forwards to: its default action and its rules, with weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hookgate.codes import Code
from hookgate.context import Aws, DeploymentContext, Endpoint
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, NotGreen
from hookgate.http.address import AddressPolicy, split_address

if TYPE_CHECKING:
    from hookgate.http.connection import Destination


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
    rules = [
        _route(each["RuleArn"], f"rule {each['Priority']}", each["Actions"])
        for each in aws("elbv2", "describe_rules", ListenerArn=arn)["Rules"]
        if not each.get("IsDefault")
    ]
    return (default, *rules)


def _route(arn: str, name: str, actions: Sequence[Mapping[str, Any]]) -> Route:
    weights = {
        each["TargetGroupArn"]: int(each.get("Weight", 1))
        for action in actions
        if action["Type"] == "forward"
        for each in action.get("ForwardConfig", {}).get("TargetGroups") or [action]
        if each.get("TargetGroupArn")
    }
    kinds = ", ".join(each["Type"] for each in actions) or "nothing"
    return Route(arn=arn, name=name, weights=weights, actions=kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The destinations of one step.

    Args:
        context: holds the listeners and both target groups.
        closed: the reason why a listener, by its name, does not reach green.
        host: the plan's ``target.host``.
        identity: the identity header, and its value in responses of green.
        allow: addresses beside the listeners, as ``host:port``.
        aws: reads where a listener forwards to.
        deadline: the step's.
        policy: which addresses may be connected to.
        examine: called when a listener is used, to look for warnings.
    """

    context: DeploymentContext
    closed: dict[str, str]
    host: str | None
    identity: tuple[str, str] | None
    allow: tuple[str, ...]
    aws: Aws
    deadline: Deadline
    policy: AddressPolicy
    examine: Callable[[], None]

    def __call__(self, where: str) -> Destination:
        """The destination called ``test``, ``production`` or ``host:port``.

        Raises:
            CannotMeasure: there is none, or it is not allowed.
        """
        from hookgate.http.connection import Destination  # noqa: PLC0415 - few plans need more than HTTP

        listeners = {"test": self.context.test, "production": self.context.production}
        if where in listeners:
            endpoint = listeners[where]
            if endpoint is None or self.closed[where]:
                raise CannotMeasure(self.closed[where], code=Code.HTTP_NO_LISTENER)
            self.examine()
            return Destination(
                endpoint=endpoint,
                deadline=self.deadline,
                policy=self.policy,
                host=self.host,
                identity=self.identity,
                routing=lambda: self._demand_green(endpoint),
            )
        if where not in self.allow:
            raise CannotMeasure(
                f"{where} is not a listener: to allow it, add it to the plan's "
                "target.allow",
                code=Code.ADDRESS,
            )
        host, port = split_address(where)
        return Destination(
            endpoint=Endpoint(scheme="tcp", address=host, port=port),
            deadline=self.deadline,
            policy=self.policy,
            routing=lambda: None,
            outside=True,
        )

    def _demand_green(self, endpoint: Endpoint) -> None:
        """Check that the listener forwards to the target group of green alone."""
        green = self.context.green
        if green is None or not endpoint.listener_arn:
            raise CannotMeasure(
                "target.identity is set, but this protocol has no headers, and "
                "without a deployment there is no routing to read: nothing shows which "
                "version responded. To accept that, set unproven: pass",
                code=Code.ROUTING_UNPROVEN,
            )
        own = endpoint.rule_arn or endpoint.listener_arn
        routes = {each.arn: each for each in read_routes(self.aws, endpoint)}
        if own not in routes:
            raise CannotMeasure(
                f"the route {own} of the listener does not exist any more",
                code=Code.ROUTING_RULE,
            )
        if routes[own].serves != {green.target_group.arn}:
            raise NotGreen(
                f"{endpoint.url} does not forward to the replacement's target group "
                f"{green.target_group.name} alone, so the original may have responded",
                code=Code.ROUTING_TARGET,
            )
